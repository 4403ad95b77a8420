import * as tf from "@tensorflow/tfjs-core";

/** The sum of the rows of `[rows, columns]`. */
export function sumRows(x: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(x, 0);
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
