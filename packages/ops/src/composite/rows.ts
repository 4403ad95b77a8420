import * as tf from "@tensorflow/tfjs-core";

/** The sum of the rows of `[rows, columns]`, as a product: quick where a sum over axis 0 is not. */
export function sumRows(x: tf.Tensor2D): tf.Tensor1D {
  const [rows, columns] = x.shape;
  return tf.reshape(tf.matMul(tf.fill<tf.Rank.R2>([1, rows], 1), x), [columns]);
}

/** `x wᵀ + b`: `[rows, in]` and `[out, in]` to `[rows, out]`. */
export function affine(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return tf.add(tf.matMul(x, weight, false, true), bias);
}

/** The gradients of `affine` with respect to its three inputs. */
export function affineBackward(
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
): readonly [dx: tf.Tensor2D, dWeight: tf.Tensor2D, dBias: tf.Tensor1D] {
  return [tf.matMul(dy, weight), tf.matMul(dy, x, true, false), sumRows(dy)];
}
