import type * as tf from "@tensorflow/tfjs-core";

/**
 * The reference's rule: biases and 1-D parameters (gains of norms) are not decayed, everything
 * else is, the class token and the positions included.
 */
export function isDecayed(name: string, parameter: tf.Tensor): boolean {
  return !name.endsWith(".bias") && parameter.rank !== 1;
}
