import * as tf from "@tensorflow/tfjs-core";
import { BackendError } from "./backend-error.ts";
import type { Precision } from "./precision.ts";

/** The backend that runs. */
export interface ActiveBackend {
  readonly name: string;
  /** What it runs on: "own kernels in SIMD, 2 threads". */
  readonly details: string;
  /** How it computes inside. */
  readonly precision: Precision;
  /** Bytes that its tensors can take up at most, where that can be known. */
  readonly memoryBytes?: number;
  /** What whoever runs it should know: a page shows it, a command line prints it. */
  readonly warning?: string;
  /** Whether a processor plays the graphics card that it runs on. */
  readonly software?: boolean;
}

/** How the active backend came to be. */
export interface Started {
  readonly backend: ActiveBackend;
  readonly asked: string;
  readonly askedPrecision: Precision | "auto";
  readonly askedThreads: number | undefined;
  readonly line: string;
  readonly registryVersion: number;
}

let started: Started | undefined;

/** The backend that `startBackend` made active. A BackendError if there is none. */
export function activeBackend(): ActiveBackend {
  const current = currentStart();
  if (current === undefined) {
    const name = tf.getBackend() ?? "none";
    throw new BackendError(`backend: expected one that startBackend() has started, got ${name}`);
  }
  return current.backend;
}

/** What was started last, unless somebody else has set another backend since. */
export function currentStart(): Started | undefined {
  return started?.backend.name === tf.getBackend() ? started : undefined;
}

export function setStarted(now: Started): void {
  started = now;
}
