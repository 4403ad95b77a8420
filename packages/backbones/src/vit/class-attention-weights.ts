import { classTokens, linear, type Params, parameter, type Segment } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";

/**
 * What the class token of each sequence attends to, after the softmax: normalised tokens
 * `[rows, dim]` to `[sequences, heads, 1, tokens]`. The first row of the whole matrix, which of a
 * large picture would take gigabytes.
 */
export function classAttentionWeights(
  params: Params,
  normed: tf.Tensor2D,
  { heads, sequences, tokens }: Segment & { readonly heads: number },
): tf.Tensor4D {
  return tf.tidy(() => {
    const dim = normed.shape[1];
    const weight = parameter<tf.Tensor2D>(params, "attn.qkv.weight");
    const bias = parameter<tf.Tensor1D>(params, "attn.qkv.bias");
    const third = (x: tf.Tensor2D, part: number) =>
      linear(x, tf.slice(weight, part * dim, dim), tf.slice(bias, part * dim, dim));
    const first = classTokens(normed, [{ sequences, tokens }]);
    const q = tf.reshape(third(first, 0), [sequences, heads, 1, dim / heads]);
    const k = tf.reshape(third(normed, 1), [sequences, tokens, heads, dim / heads]);
    const byHead = tf.transpose(k, [0, 2, 3, 1]);
    return tf.softmax(tf.mul(tf.matMul(q, byHead), (dim / heads) ** -0.5)) as tf.Tensor4D;
  });
}
