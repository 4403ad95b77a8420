import * as tf from "@tensorflow/tfjs-core";
import { sumRows } from "./rows.ts";

/** Mean and inverse standard deviation of each row, `[rows, 1]`. */
export interface RowStatistics {
  readonly mean: tf.Tensor2D;
  readonly inverseStd: tf.Tensor2D;
}

export function rowStatistics(x: tf.Tensor2D, epsilon: number): RowStatistics {
  const mean = tf.mean<tf.Tensor2D>(x, 1, true);
  const variance = tf.mean<tf.Tensor2D>(tf.square(tf.sub(x, mean)), 1, true);
  return { mean, inverseStd: tf.rsqrt(tf.add(variance, epsilon)) };
}

/** Rows of mean 0 and variance 1. */
export function normalizedRows(x: tf.Tensor2D, { mean, inverseStd }: RowStatistics): tf.Tensor2D {
  return tf.mul(tf.sub(x, mean), inverseStd);
}

/** The gradients of `normalized * weight + bias`, where `normalized` comes from `normalizedRows`. */
export function normBackward(
  dy: tf.Tensor2D,
  normalized: tf.Tensor2D,
  inverseStd: tf.Tensor2D,
  weight: tf.Tensor1D,
): readonly [dx: tf.Tensor2D, dWeight: tf.Tensor1D, dBias: tf.Tensor1D] {
  const dNormalized = tf.mul<tf.Tensor2D>(dy, weight);
  const along = tf.mean<tf.Tensor2D>(tf.mul(dNormalized, normalized), 1, true);
  const centred = tf.sub(dNormalized, tf.mean(dNormalized, 1, true));
  const dx = tf.mul<tf.Tensor2D>(tf.sub(centred, tf.mul(normalized, along)), inverseStd);
  return [dx, sumRows(tf.mul(dy, normalized)), sumRows(dy)];
}
