import * as tf from "@tensorflow/tfjs-core";
import { normalizedRows, normBackward, rowStatistics } from "../composite/norm.ts";
import { differentiable, type Kernels, kernel, kernelsOf, type Operation } from "../operation.ts";
import { assertShape } from "../shape.ts";

type Inputs = { readonly x: tf.Tensor2D; readonly weight: tf.Tensor1D; readonly bias: tf.Tensor1D };
type Saved = {
  readonly x: tf.Tensor2D;
  readonly weight: tf.Tensor1D;
  readonly mean: tf.Tensor2D;
  readonly inverseStd: tf.Tensor2D;
};

const operation: Operation<Inputs, Saved, { readonly epsilon: number }> = {
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
};

const differentiableNorm = differentiable(operation);

/** The kernels, for larger operations. The forward one gives mean and inverse deviation too. */
export const layerNormKernels: Kernels<Inputs, Saved, { readonly epsilon: number }> =
  kernelsOf(operation);

const again = kernel<Saved & { readonly bias: tf.Tensor1D }, Record<never, never>>(
  "LayerNormAgain",
  ({ x, weight, bias, ...statistics }) => [
    tf.add(tf.mul(normalizedRows(x, statistics), weight), bias),
  ],
);

/** The output once more, from the statistics of the first time. */
export function layerNormAgain(inputs: Saved & { readonly bias: tf.Tensor1D }): tf.Tensor2D {
  return again(inputs, {})[0] as tf.Tensor2D;
}

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
    const y = differentiableNorm({ x: tf.reshape(x, [-1, dim]), weight, bias }, { epsilon });
    return tf.reshape(y, x.shape) as T;
  });
}
