import type { ViewPolicy } from "@dino/augmentations";
import type { Crops, Loader } from "../batches.ts";
import type { Dataset } from "../dataset.ts";
import { type CropStep, cropSteps } from "./crop-steps.ts";

export interface LoaderOptions {
  /** How the crops of a picture are sampled. */
  readonly views: ViewPolicy;
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** Fixes the order of every epoch and the views of every picture. */
  readonly seed: number;
  /** Threads that make crops; 0 is this one. Default: one less than there are processors. */
  readonly workers?: number;
  /** The share of broken pictures, from 0 to 1, beyond which loading fails. Default 0.01. */
  readonly maxBroken?: number;
  /** Steps that are prepared while the consumer works on one. Default 3. */
  readonly prefetch?: number;
  /**
   * Bytes of decoded pictures that are kept for the next epoch. Default 1 GiB, but at most a
   * quarter of the machine's memory.
   */
  readonly cacheBytes?: number;
  /**
   * Where crops are made: in threads, or of a whole batch at once by the backend, which `workers` is
   * nothing to. The crops are the same; without a kernel for it, they are then made on this thread.
   */
  readonly augment?: "threads" | "device";
}

/**
 * Batches of crops for training: every epoch goes through the pictures in an order of its own, and
 * sees each by new views. What step `s` holds depends on the data set, `seed`, `views` and
 * `batchSize` alone: not on threads, nor on the step that a run goes on from.
 *
 * A picture that cannot be read is replaced by the next one in the epoch's order. Too many of them,
 * or fewer pictures than a batch, are a `DataError`.
 */
export function loader(dataset: Dataset, options: LoaderOptions): Loader {
  const made = cropSteps(dataset, { ...options, keepLast: false });
  return {
    perEpoch: made.perEpoch,
    batchSize: made.batchSize,
    get broken() {
      return made.broken;
    },
    get waited() {
      return made.waited;
    },
    steps: (some) => cropsOf(made.steps(some)),
    close: () => made.close(),
  };
}

async function* cropsOf(steps: AsyncIterable<CropStep>): AsyncGenerator<Crops> {
  for await (const { crops } of steps) yield crops;
}
