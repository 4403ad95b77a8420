import * as tf from "@tensorflow/tfjs-core";
import { sumRows } from "../composite/rows.ts";
import { differentiable, kernel } from "../operation.ts";
import { assertShape } from "../shape.ts";

type X = { readonly x: tf.Tensor2D };
type Moments = { readonly mean: tf.Tensor1D; readonly variance: tf.Tensor1D };

const moments = kernel<X, Record<never, never>>("ColumnMoments", ({ x }) => {
  const rows = x.shape[0];
  const mean = tf.div<tf.Tensor1D>(sumRows(x), rows);
  const variance = tf.div(sumRows(tf.square(tf.sub<tf.Tensor2D>(x, mean))), rows);
  return [mean, variance];
});

type Inputs = X & Moments & { readonly weight: tf.Tensor1D; readonly bias: tf.Tensor1D };
type Saved = X & Moments & { readonly weight: tf.Tensor1D };

const operation = differentiable<Inputs, Saved, { readonly epsilon: number }>({
  name: "BatchNormTraining",
  forward: ({ x, mean, variance, weight, bias }, { epsilon }) => {
    const factor = tf.mul(weight, tf.rsqrt(tf.add(variance, epsilon)));
    return [tf.add(tf.mul(tf.sub(x, mean), factor), bias)];
  },
  saved: ({ x, mean, variance, weight }) => ({ x, mean, variance, weight }),
  backward: ({ dy, x, mean, variance, weight }, { epsilon }) => {
    const rows = x.shape[0];
    const inverseStd = tf.rsqrt(tf.add(variance, epsilon));
    const normalized = tf.mul<tf.Tensor2D>(tf.sub(x, mean), inverseStd);
    const dBias = sumRows(dy as tf.Tensor2D);
    const dWeight = sumRows(tf.mul(dy, normalized));
    // The statistics depend on x too.
    const through = tf.div(tf.add(dBias, tf.mul(normalized, dWeight)), rows);
    return [tf.mul(tf.sub(dy, through), tf.mul(weight, inverseStd)), dWeight, dBias];
  },
});

/** The output and what it was normalised by. */
export interface BatchNormOutput {
  /** `[rows, channels]` */
  readonly output: tf.Tensor2D;
  /** `[channels]` */
  readonly mean: tf.Tensor1D;
  /** Biased (divided by the number of rows), `[channels]`. */
  readonly variance: tf.Tensor1D;
}

/**
 * Batch normalisation with the batch's own statistics (Ioffe and Szegedy 2015): `[rows, channels]`
 * to the same shape. Gradients go through the statistics too.
 */
export function batchNormTraining(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  { epsilon = 1e-5 }: { readonly epsilon?: number } = {},
): BatchNormOutput {
  const channels = x.shape[1];
  assertShape("weight", weight, [channels]);
  assertShape("bias", bias, [channels]);
  const [mean, variance] = moments({ x }, {}) as [tf.Tensor1D, tf.Tensor1D];
  const output = operation({ x, weight, bias }, { epsilon }, { mean, variance }) as tf.Tensor2D;
  return { output, mean, variance };
}
