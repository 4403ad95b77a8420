import {
  batchNormTraining,
  moveStatistics,
  type Params,
  parameter,
  ShapeError,
  withPrefix,
} from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { Training } from "./backbone.ts";

const epsilon = 1e-5;
/** How much of a running statistic the newest batch makes up. */
const share = 0.1;

/** The entries of PyTorch's batch normalisation over `channels`: two parameters, three buffers. */
export function batchNormShapes(
  prefix: string,
  channels: number,
): Record<string, readonly number[]> {
  return {
    [`${prefix}weight`]: [channels],
    [`${prefix}bias`]: [channels],
    [`${prefix}running_mean`]: [channels],
    [`${prefix}running_var`]: [channels],
    [`${prefix}num_batches_tracked`]: [],
  };
}

/** Whether an entry is a running statistic of a batch normalisation, by the end of its name. */
export function isRunningStatistic(name: string): boolean {
  return /(^|\.)(running_mean|running_var|num_batches_tracked)$/.test(name);
}

export function batchNormInit(name: string, shape: readonly number[]): tf.Tensor {
  if (name.endsWith("num_batches_tracked")) return tf.scalar(0, "int32");
  const ones = name.endsWith("weight") || name.endsWith("running_var");
  return ones ? tf.ones([...shape]) : tf.zeros([...shape]);
}

/** What follows a normalisation: `activation(normed + residual)`. */
export interface BatchNormEnding {
  readonly residual?: tf.Tensor2D | undefined;
  readonly activation?: "none" | "relu";
}

/**
 * Normalises rows `[rows, channels]` by the entries under `prefix`: in training with the rows' own
 * statistics, telling `onBuffers` the new running ones; in evaluation with the running ones.
 */
export function batchNorm(
  params: Params,
  prefix: string,
  x: tf.Tensor2D,
  mode: Training | undefined,
  ending: BatchNormEnding = {},
): tf.Tensor2D {
  return mode
    ? trained(params, prefix, x, mode.onBuffers, ending)
    : evaluated(params, prefix, x, ending);
}

function evaluated(
  params: Params,
  prefix: string,
  x: tf.Tensor2D,
  { residual, activation }: BatchNormEnding,
): tf.Tensor2D {
  const entry = (name: string) => parameter<tf.Tensor1D>(params, prefix + name);
  const normed = tf.batchNorm2d(
    x,
    entry("running_mean"),
    entry("running_var"),
    entry("bias"),
    entry("weight"),
    epsilon,
  );
  const whole = residual ? tf.add<tf.Tensor2D>(normed, residual) : normed;
  return activation === "relu" ? tf.relu(whole) : whole;
}

/** The new running statistics are the mean, the unbiased variance, and the count where there is one. */
function trained(
  params: Params,
  prefix: string,
  x: tf.Tensor2D,
  onBuffers: Training["onBuffers"],
  ending: BatchNormEnding,
): tf.Tensor2D {
  const [rows] = x.shape;
  if (rows < 2) {
    throw new ShapeError(
      `x: expected at least 2 rows for batch normalisation in training, got ${rows}`,
    );
  }
  const entry = <T extends tf.Tensor>(name: string) => parameter<T>(params, prefix + name);
  const { output, mean, variance } = batchNormTraining(x, entry("weight"), entry("bias"), {
    epsilon,
    ...ending,
  });
  if (onBuffers) {
    const running = {
      mean: entry<tf.Tensor1D>("running_mean"),
      variance: entry<tf.Tensor1D>("running_var"),
      count: params[`${prefix}num_batches_tracked`] as tf.Scalar | undefined,
    };
    const next = moveStatistics(running, { mean, variance }, { rows, share });
    const updates = {
      running_mean: next.mean,
      running_var: next.variance,
      ...(next.count && { num_batches_tracked: next.count }),
    };
    onBuffers(withPrefix(prefix, updates));
  }
  return output;
}
