import * as tf from "@tensorflow/tfjs-core";
import { sumRows } from "../composite/rows.ts";
import { differentiable, kernel } from "../operation.ts";
import { assertShape } from "../shape.ts";

export interface BatchNormOptions {
  readonly epsilon?: number;
  /** Added to what is normalised, before the activation: the way around a residual block. */
  readonly residual?: tf.Tensor2D | undefined;
  readonly activation?: "none" | "relu";
}

/** The output and what it was normalised by. */
export interface BatchNormOutput {
  /** `[rows, channels]` */
  readonly output: tf.Tensor2D;
  /** `[channels]` */
  readonly mean: tf.Tensor1D;
  /** Biased (divided by the number of rows), `[channels]`. */
  readonly variance: tf.Tensor1D;
}

type X = { readonly x: tf.Tensor2D };
type Moments = { readonly mean: tf.Tensor1D; readonly variance: tf.Tensor1D };

const moments = kernel<X, Record<never, never>>("ColumnMoments", ({ x }) => {
  const rows = x.shape[0];
  const mean = tf.div<tf.Tensor1D>(sumRows(x), rows);
  const variance = tf.div(sumRows(tf.square(tf.sub<tf.Tensor2D>(x, mean))), rows);
  return [mean, variance];
});

type Inputs = X &
  Moments & {
    readonly weight: tf.Tensor1D;
    readonly bias: tf.Tensor1D;
    readonly residual?: tf.Tensor2D;
  };
type Saved = X &
  Moments & {
    readonly weight: tf.Tensor1D;
    /** The output, where it went through a ReLU: what is not positive gets no gradient. */
    readonly y?: tf.Tensor2D;
  };
type Attributes = {
  readonly epsilon: number;
  readonly activation: "none" | "relu";
  readonly hasResidual: boolean;
};

const operation = differentiable<Inputs, Saved, Attributes>({
  name: "BatchNormTraining",
  forward: ({ x, mean, variance, weight, bias, residual }, { epsilon, activation }) => {
    const factor = tf.mul(weight, tf.rsqrt(tf.add(variance, epsilon)));
    const normed = tf.add<tf.Tensor2D>(tf.mul(tf.sub(x, mean), factor), bias);
    const whole = residual ? tf.add(normed, residual) : normed;
    return [activation === "relu" ? tf.relu(whole) : whole];
  },
  saved: ({ x, mean, variance, weight }, [y], { activation }) => {
    const statistics = { x, mean, variance, weight };
    return activation === "relu" ? { ...statistics, y: y as tf.Tensor2D } : statistics;
  },
  backward: ({ dy, x, mean, variance, weight, y }, { epsilon, hasResidual }) => {
    const rows = x.shape[0];
    const dWhole = (y ? tf.mul(dy, tf.step(y)) : dy) as tf.Tensor2D;
    const inverseStd = tf.rsqrt(tf.add(variance, epsilon));
    const normalized = tf.mul<tf.Tensor2D>(tf.sub(x, mean), inverseStd);
    const dBias = sumRows(dWhole);
    const dWeight = sumRows(tf.mul(dWhole, normalized));
    // The statistics depend on x too.
    const through = tf.div(tf.add(dBias, tf.mul(normalized, dWeight)), rows);
    const dx = tf.mul(tf.sub(dWhole, through), tf.mul(weight, inverseStd));
    if (!hasResidual) return [dx, dWeight, dBias];
    return [dx, dWeight, dBias, y ? dWhole : tf.clone(dWhole)];
  },
});

/**
 * Batch normalisation with the batch's own statistics (Ioffe and Szegedy 2015): `[rows, channels]`
 * to the same shape, then what ends a block of a ResNet, if asked for: `relu(normed + residual)`.
 * Gradients go through the statistics too.
 */
export function batchNormTraining(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  { epsilon = 1e-5, residual, activation = "none" }: BatchNormOptions = {},
): BatchNormOutput {
  const channels = x.shape[1];
  assertShape("weight", weight, [channels]);
  assertShape("bias", bias, [channels]);
  if (residual) assertShape("residual", residual, x.shape);
  const [mean, variance] = moments({ x }, {}) as [tf.Tensor1D, tf.Tensor1D];
  const output = operation(
    { x, weight, bias, ...(residual && { residual }) },
    { epsilon, activation, hasResidual: residual !== undefined },
    { mean, variance },
  ) as tf.Tensor2D;
  return { output, mean, variance };
}
