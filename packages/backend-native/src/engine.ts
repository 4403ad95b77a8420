import { availableParallelism, totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import { AddonError, addon } from "./addon.ts";
import type { NativeBackend } from "./native-backend.ts";
import { backendName, registerNativeBackend } from "./register.ts";

/** The engine as `@dino/backend` asks for it. */
export interface NativeEngine {
  readonly name: string;
  readonly order: number;
  detect(): Promise<{
    readonly available: boolean;
    readonly reason?: string;
    /** What would make it available. */
    readonly install?: string;
    readonly details?: string;
    readonly memoryBytes?: number;
    readonly precisions?: readonly Precision[];
    readonly withoutBf16?: string;
  }>;
  start(options?: {
    readonly precision?: Precision | undefined;
    /** All cores, or what `setThreads` has set, unless given. */
    readonly threads?: number | undefined;
  }): Promise<void>;
}

/**
 * What products multiply: float32, or bfloat16 with float32 sums. Activations that a block keeps
 * for its way back are of the same kind; everything else is float32.
 */
export type Precision = "fp32" | "bf16";

/** The native engine: what `@dino/backend` starts under the name `native`. */
export const engine: NativeEngine = {
  name: backendName,
  order: 30,
  detect: async () => {
    try {
      const { instructions, threads, bf16 } = addon().describeMachine();
      const details = `${instructions}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
      const found = { available: true, details, memoryBytes: hostMemory() };
      return bf16
        ? { ...found, precisions: ["fp32", "bf16"] }
        : { ...found, withoutBf16: "the processor has no AVX-512 BF16" };
    } catch (error) {
      if (!(error instanceof AddonError)) throw error;
      const { message: reason, install } = error;
      return { available: false, reason, ...(install !== undefined && { install }) };
    }
  },
  start: async ({ precision = "fp32", threads } = {}) => {
    if (threads !== undefined) setThreads(threads);
    registerNativeBackend();
    if (!(await tf.setBackend(backendName))) throw new Error("tfjs could not initialise it");
    await tf.ready();
    (tf.backend() as NativeBackend).precision = precision;
  },
};

/** Uses so many threads from now on: as many as the machine has cores, unless given. */
export function setThreads(threads: number = availableParallelism()): void {
  addon().configureMachine(threads);
}

export interface PeakOptions {
  /** All cores unless given; what kernels use does not change. */
  readonly threads?: number;
  readonly precision?: Precision;
  /** How long to try, up to 60. */
  readonly seconds?: number;
}

/**
 * The most that the processor can do, in GFLOP/s: fused multiplications and additions in
 * registers. 0 where it has none of the precision.
 */
export function fmaPeakGflops({
  threads = availableParallelism(),
  precision = "fp32",
  seconds = 0.5,
}: PeakOptions = {}): number {
  const native = addon();
  const { threads: before, bf16 } = native.describeMachine();
  if (precision === "bf16" && !bf16) return 0;
  if (threads !== before) native.configureMachine(threads);
  try {
    return native.measurePeak(precision === "bf16", seconds);
  } finally {
    if (threads !== before) native.configureMachine(before);
  }
}

/** Bytes of memory that this process may use: the machine's, or the container's share of it. */
function hostMemory(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
