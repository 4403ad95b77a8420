import { activeBackend, startBackend } from "@dino/backend";
import type { Machine } from "../settings/small-data.ts";

/** The engine that computes. */
export interface Engine {
  readonly name: string;
  /** What runs and why. */
  readonly line: string;
  readonly machine: Machine;
  /** What it may hold, where that is known. */
  readonly memoryBytes: number | undefined;
  /** Steps between readings of the figures: a GPU would have to wait for each. */
  readonly metricsEvery: number;
}

/** Starts the engine of this name, or the best that there is for `auto`. */
export async function startEngine(asked: string): Promise<Engine> {
  const line = await startBackend(asked);
  const backend = activeBackend();
  const name = backend?.name ?? asked;
  const isGpu = name === "webgpu" || /\b(gpu|cuda)\b/i.test(backend?.details ?? "");
  const isSlow = name === "wasm" || name === "cpu";
  return {
    name,
    line,
    machine: isGpu ? "gpu" : isSlow ? "slow-cpu" : "fast-cpu",
    memoryBytes: backend?.memoryBytes,
    metricsEvery: isGpu ? 10 : 1,
  };
}
