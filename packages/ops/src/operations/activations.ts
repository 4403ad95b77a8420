import * as tf from "@tensorflow/tfjs-core";
import { geluSlope, normalCdf } from "../composite/gelu.ts";
import { differentiable, kernel, kernelsOf, type Operation } from "../operation.ts";

type X = { readonly x: tf.Tensor };
type None = Record<never, never>;

const operation: Operation<X, X, None> = {
  name: "Gelu",
  forward: ({ x }) => [tf.mul(x, normalCdf(x))],
  saved: ({ x }) => ({ x }),
  backward: ({ dy, x }) => [tf.mul(dy, geluSlope(x, normalCdf(x)))],
};

const { forward, backward } = kernelsOf(operation);

const parts = kernel<X, None>("GeluParts", ({ x }) => {
  const cdf = normalCdf(x);
  return [tf.mul(x, cdf), geluSlope(x, cdf)];
});

const differentiableGelu = differentiable(operation);

/** The exact GELU, not its tanh approximation: the published weights were trained with it. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return differentiableGelu({ x }, {}) as T;
}

/** What follows an affine map inside of larger operations: its value and its gradient. */
export const activate = {
  gelu: {
    forward: (x: tf.Tensor2D): tf.Tensor2D =>
      forward({ x }, { forGradient: false })[0] as tf.Tensor2D,
    backward: (dy: tf.Tensor2D, x: tf.Tensor2D): tf.Tensor2D =>
      backward({ dy, x }, {})[0] as tf.Tensor2D,
  },
  relu: {
    forward: (x: tf.Tensor2D): tf.Tensor2D => tf.relu(x),
    backward: (dy: tf.Tensor2D, x: tf.Tensor2D): tf.Tensor2D => tf.mul(dy, tf.step(x)),
  },
} as const;

/** The GELU and its derivative at once, for a backward pass that needs both. */
export function geluParts(x: tf.Tensor2D): readonly [value: tf.Tensor2D, slope: tf.Tensor2D] {
  return parts({ x }, {}) as [tf.Tensor2D, tf.Tensor2D];
}
