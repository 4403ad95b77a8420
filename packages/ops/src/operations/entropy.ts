import * as tf from "@tensorflow/tfjs-core";
import { kernel } from "../operation.ts";

const entropyKernel = kernel<{ readonly probabilities: tf.Tensor }, Record<never, never>>(
  "Entropy",
  ({ probabilities }) => {
    // Where a probability is 0, so is its share, whatever the logarithm.
    const logs = tf.log(tf.maximum(probabilities, 1e-30));
    return [tf.neg(tf.mean(tf.sum(tf.mul(probabilities, logs), -1)))];
  },
);

/** The mean entropy of distributions over the last axis, `[..., outcomes]`, in nats. Has no gradient. */
export function entropy(probabilities: tf.Tensor): tf.Scalar {
  return entropyKernel({ probabilities }, {})[0] as tf.Scalar;
}
