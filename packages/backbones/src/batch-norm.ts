import { batchNormTraining, type Params, parameter, ShapeError } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";

const epsilon = 1e-5;
/** How much of a running statistic the newest batch makes up. */
const share = 0.1;

/** The entries of PyTorch's BatchNorm1d over `channels`: two parameters, three buffers. */
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

/** Normalises rows `[rows, channels]` with the running statistics. */
export function batchNormEvaluation(params: Params, x: tf.Tensor2D): tf.Tensor2D {
  const inverseStd = tf.rsqrt(tf.add(parameter(params, "running_var"), epsilon));
  const centred = tf.sub(x, parameter(params, "running_mean"));
  const normalized = tf.mul(centred, inverseStd);
  return tf.add(tf.mul(normalized, parameter(params, "weight")), parameter(params, "bias"));
}

/**
 * Normalises rows `[rows, channels]` with their own statistics, and tells `onBuffers` the new
 * running ones: the mean, the unbiased variance, and the count where there is one.
 */
export function batchNormTrained(
  params: Params,
  x: tf.Tensor2D,
  onBuffers: ((updates: Params) => void) | undefined,
): tf.Tensor2D {
  const [rows] = x.shape;
  if (rows < 2) {
    throw new ShapeError(
      `x: expected at least 2 rows for batch normalisation in training, got ${rows}`,
    );
  }
  const weight = parameter<tf.Tensor1D>(params, "weight");
  const bias = parameter<tf.Tensor1D>(params, "bias");
  const { output, mean, variance } = batchNormTraining(x, weight, bias, { epsilon });
  if (onBuffers) {
    const updates: Record<string, tf.Tensor> = {
      running_mean: moved(parameter(params, "running_mean"), mean),
      running_var: moved(parameter(params, "running_var"), tf.mul(variance, rows / (rows - 1))),
    };
    const count = params.num_batches_tracked;
    if (count) updates.num_batches_tracked = tf.add(count, tf.scalar(1, count.dtype));
    onBuffers(updates);
  }
  return output;
}

function moved(running: tf.Tensor, batch: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(running, 1 - share), tf.mul(batch, share));
}
