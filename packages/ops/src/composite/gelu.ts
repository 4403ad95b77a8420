import * as tf from "@tensorflow/tfjs-core";

/** The normal distribution function, of which the exact GELU is `x * normalCdf(x)`. */
export function normalCdf<T extends tf.Tensor>(x: T): T {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** The derivative of the exact GELU: `cdf + x * pdf`. */
export function geluSlope<T extends tf.Tensor>(x: T, cdf: T): T {
  const pdf = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return tf.add(cdf, tf.mul(x, pdf));
}
