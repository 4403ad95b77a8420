import {
  activeBackend,
  BackendError,
  describeEngines,
  type Precision,
  startBackend,
} from "@dino/backend";
import { UsageError } from "../errors.ts";
import type { Machine } from "../settings/small-data.ts";

/** The engine that computes. */
export interface Engine {
  readonly name: string;
  /** What runs and why. */
  readonly line: string;
  /** How it computes, whatever was asked. */
  readonly precision: Precision;
  readonly machine: Machine;
  /** What it may hold, where that is known. */
  readonly memoryBytes: number | undefined;
  /** Steps between readings of the figures: a GPU would have to wait for each. */
  readonly metricsEvery: number;
}

/** Starts the engine of this name, or the best that there is for `auto`, on all cores unless told. */
export async function startEngine(
  asked: string,
  askedPrecision: Precision | "auto" = "fp32",
  threads?: number,
): Promise<Engine> {
  const line = await startNamed(asked, askedPrecision, threads);
  const { name, details, precision, memoryBytes } = activeBackend();
  const isGpu = name.startsWith("webgpu") || /\bGPU\b/.test(details);
  const isSlow = name === "wasm" || name === "cpu";
  return {
    name,
    line,
    precision,
    machine: isGpu ? "gpu" : isSlow ? "slow-cpu" : "fast-cpu",
    memoryBytes,
    metricsEvery: isGpu ? 10 : 1,
  };
}

async function startNamed(
  asked: string,
  precision: Precision | "auto",
  threads: number | undefined,
): Promise<string> {
  try {
    return await startBackend(asked, { precision, threads });
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    const names = (await describeEngines()).map(({ name }) => name);
    if (asked === "auto" || names.includes(asked)) throw error;
    const expected = ["auto", ...names].join(", ");
    throw new UsageError(`--backend: expected one of ${expected}, got ${asked}`, { cause: error });
  }
}
