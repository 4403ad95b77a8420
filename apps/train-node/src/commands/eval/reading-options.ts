import type { Command } from "commander";
import * as kinds from "../../settings/kinds.ts";
import { flagValue } from "../weights-options.ts";

/** Flags of every evaluation that reads pictures as its model sees them. */
export interface ReadingFlags {
  readonly imageSize?: string;
  readonly batchSizePerGpu?: string;
  readonly numWorkers?: string;
}

export interface Reading {
  /** Rows and columns; the model's own when absent. */
  readonly size: number | undefined;
  /** Pictures at once. */
  readonly batchSize: number | undefined;
  /** Threads that read. */
  readonly workers: number | undefined;
}

export function withReading(made: Command, { batchSize }: { readonly batchSize: number }): Command {
  return made
    .option("--image-size <n>", "side of the pictures after resizing and cropping (the model's)")
    .option("--batch-size-per-gpu <n>", `pictures at once (${batchSize})`)
    .option("--num-workers <n>", "threads that read pictures (by cores)");
}

export function readingOf(flags: ReadingFlags): Reading {
  const whole = (min: number) => kinds.integer({ min });
  return {
    size: flagValue("--image-size", flags.imageSize, whole(1)),
    batchSize: flagValue("--batch-size-per-gpu", flags.batchSizePerGpu, whole(1)),
    workers: flagValue("--num-workers", flags.numWorkers, whole(0)),
  };
}
