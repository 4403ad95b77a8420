import * as tf from "@tensorflow/tfjs-core";
import { affine, affineBackward } from "../composite/rows.ts";
import { differentiable, type Kernels, kernelsOf, type Operation } from "../operation.ts";
import { assertShape } from "../shape.ts";
import { activate } from "./activations.ts";

export type Activation = "none" | "gelu" | "relu";

export interface LinearOptions {
  /** What follows the affine map; `gelu` is the exact one. */
  readonly activation?: Activation;
}

type Inputs = { readonly x: tf.Tensor2D; readonly weight: tf.Tensor2D; readonly bias: tf.Tensor1D };
type Saved = {
  readonly x: tf.Tensor2D;
  readonly weight: tf.Tensor2D;
  /** What was before the activation, where there is one. */
  readonly before?: tf.Tensor2D;
};

const operation: Operation<Inputs, Saved, { readonly activation: Activation }> = {
  name: "Linear",
  forward: ({ x, weight, bias }, { activation }) => {
    const before = affine(x, weight, bias);
    return activation === "none" ? [before] : [activate[activation].forward(before), before];
  },
  saved: ({ x, weight }, [, before]) =>
    before === undefined ? { x, weight } : { x, weight, before: before as tf.Tensor2D },
  backward: ({ dy, x, weight, before }, { activation }) => {
    const rows = dy as tf.Tensor2D;
    if (activation === "none" || before === undefined) return affineBackward(rows, x, weight);
    return affineBackward(activate[activation].backward(rows, before), x, weight);
  },
};

const differentiableLinear = differentiable(operation);

/** The kernels, for larger operations. The forward one gives what was before an activation too. */
export const linearKernels: Kernels<Inputs, Saved, { readonly activation: Activation }> =
  kernelsOf(operation);

/**
 * `activation(x wᵀ + b)`: `x` `[..., in]`, `weight` `[out, in]` and `bias` `[out]` as in PyTorch,
 * to `[..., out]`.
 */
export function linear<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D,
  { activation = "none" }: LinearOptions = {},
): T {
  const [out, inputs] = weight.shape;
  assertShape("x", x, [...x.shape.slice(0, -1), inputs]);
  assertShape("bias", bias, [out]);
  return tf.tidy(() => {
    const rows = tf.reshape(x, [-1, inputs]);
    const y = differentiableLinear({ x: rows, weight, bias }, { activation });
    return tf.reshape(y, [...x.shape.slice(0, -1), out]) as T;
  });
}
