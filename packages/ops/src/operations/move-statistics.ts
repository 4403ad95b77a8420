import * as tf from "@tensorflow/tfjs-core";
import { kernel } from "../operation.ts";
import { assertShape } from "../shape.ts";

/** What a batch normalisation knows of all batches that it has seen. */
export interface RunningStatistics {
  /** `[channels]` */
  readonly mean: tf.Tensor1D;
  /** Unbiased, `[channels]`. */
  readonly variance: tf.Tensor1D;
  /** How many batches there were, where that is counted. */
  readonly count?: tf.Scalar | undefined;
}

export interface MoveStatisticsOptions {
  /** How many rows the batch had, at least 2. */
  readonly rows: number;
  /** How much of the new statistics the batch makes up, from 0 to 1. */
  readonly share?: number;
}

type Tensors = {
  readonly runningMean: tf.Tensor1D;
  readonly runningVariance: tf.Tensor1D;
  readonly count?: tf.Scalar;
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
};
type Attributes = { readonly share: number; readonly unbias: number };

const operation = kernel<Tensors, Attributes>(
  "MoveStatistics",
  ({ runningMean, runningVariance, count, mean, variance }, { share, unbias }) => {
    const moved = (running: tf.Tensor, batch: tf.Tensor) =>
      tf.add(tf.mul(running, 1 - share), tf.mul(batch, share));
    return [
      moved(runningMean, mean),
      moved(runningVariance, tf.mul(variance, unbias)),
      ...(count ? [tf.add(count, tf.scalar(1, count.dtype))] : []),
    ];
  },
);

/**
 * The running statistics of a batch normalisation after one more batch, whose mean and biased
 * variance are `[channels]`. Without a gradient.
 */
export function moveStatistics(
  running: RunningStatistics,
  batch: { readonly mean: tf.Tensor1D; readonly variance: tf.Tensor1D },
  { rows, share = 0.1 }: MoveStatisticsOptions,
): RunningStatistics {
  for (const name of ["mean", "variance"] as const) {
    assertShape(`running.${name}`, running[name], batch.mean.shape);
  }
  if (!(rows >= 2)) throw new RangeError(`rows: expected at least 2, got ${rows}`);
  const { mean: runningMean, variance: runningVariance, count } = running;
  const [mean, variance, counted] = operation(
    { runningMean, runningVariance, ...(count && { count }), ...batch },
    { share, unbias: rows / (rows - 1) },
  ) as [tf.Tensor1D, tf.Tensor1D, tf.Scalar | undefined];
  return { mean, variance, ...(counted && { count: counted }) };
}
