import * as tf from "@tensorflow/tfjs-core";
import { normalizedRows, normBackward, rowStatistics } from "../composite/norm.ts";
import { differentiable } from "../operation.ts";
import { assertShape } from "../shape.ts";

type Inputs = { readonly x: tf.Tensor2D; readonly weight: tf.Tensor1D; readonly bias: tf.Tensor1D };
type Saved = {
  readonly x: tf.Tensor2D;
  readonly weight: tf.Tensor1D;
  readonly mean: tf.Tensor2D;
  readonly inverseStd: tf.Tensor2D;
};

const operation = differentiable<Inputs, Saved, { readonly epsilon: number }>({
  name: "LayerNorm",
  forward: ({ x, weight, bias }, { epsilon }) => {
    const statistics = rowStatistics(x, epsilon);
    const y = tf.add(tf.mul(normalizedRows(x, statistics), weight), bias);
    return [y, statistics.mean, statistics.inverseStd];
  },
  saved: ({ x, weight }, [, mean, inverseStd]) => ({
    x,
    weight,
    mean: mean as tf.Tensor2D,
    inverseStd: inverseStd as tf.Tensor2D,
  }),
  backward: ({ dy, x, weight, mean, inverseStd }) =>
    normBackward(dy as tf.Tensor2D, normalizedRows(x, { mean, inverseStd }), inverseStd, weight),
});

/** Layer normalisation over the last axis (Ba et al. 2016): `[..., dim]` to the same shape. */
export function layerNorm<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  { epsilon = 1e-6 }: { readonly epsilon?: number } = {},
): T {
  const dim = x.shape.at(-1) as number;
  assertShape("weight", weight, [dim]);
  assertShape("bias", bias, [dim]);
  return tf.tidy(() => {
    const y = operation({ x: tf.reshape(x, [-1, dim]), weight, bias }, { epsilon });
    return tf.reshape(y, x.shape) as T;
  });
}
