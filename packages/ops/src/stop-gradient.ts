import * as tf from "@tensorflow/tfjs-core";

/** `x` itself, but a constant to differentiation. tfjs has no such op of its own. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  const identity = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy),
  }));
  return identity(x) as T;
}
