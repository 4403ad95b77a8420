import { availableParallelism, totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import { AddonError, addon } from "./addon.ts";
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
  }>;
  start(): Promise<void>;
}

/** The native engine: what `@dino/backend` starts under the name `native`. */
export const engine: NativeEngine = {
  name: backendName,
  order: 30,
  detect: async () => {
    try {
      const { instructions, threads } = addon().describeMachine();
      const details = `${instructions}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
      return { available: true, details, memoryBytes: hostMemory() };
    } catch (error) {
      if (!(error instanceof AddonError)) throw error;
      const { message: reason, install } = error;
      return { available: false, reason, ...(install !== undefined && { install }) };
    }
  },
  start: async () => {
    registerNativeBackend();
    if (!(await tf.setBackend(backendName))) throw new Error("tfjs could not initialise it");
    await tf.ready();
  },
};

/** Uses so many threads from now on: as many as the machine has cores, unless given. */
export function setThreads(threads: number = availableParallelism()): void {
  addon().configureMachine(threads);
}

/** Bytes of memory that this process may use: the machine's, or the container's share of it. */
function hostMemory(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
