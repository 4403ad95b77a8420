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
  forward: ({ x, weight, bias }, { activation, forGradient }) => {
    const before = affine(x, weight, bias);
    if (activation === "none") return [before];
    const y = activate[activation].forward(before);
    return forGradient ? [y, before] : [y];
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

/**
 * The kernels, for larger operations. The forward one gives what was before an activation too,
 * where it is for a gradient.
 */
export const linearKernels: Kernels<Inputs, Saved, { readonly activation: Activation }> =
  kernelsOf(operation);

/** The kernels of a linear layer without an activation, where they are parts of larger operations. */
export const affineKernels = {
  forward: (x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D =>
    // There is nothing to give but the output.
    linearKernels.forward(
      { x, weight, bias },
      { activation: "none", forGradient: false },
    )[0] as tf.Tensor2D,
  backward: (
    dy: tf.Tensor2D,
    x: tf.Tensor2D,
    weight: tf.Tensor2D,
  ): readonly [dx: tf.Tensor2D, dWeight: tf.Tensor2D, dBias: tf.Tensor1D] =>
    linearKernels.backward({ dy, x, weight }, { activation: "none" }) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor1D,
    ],
};

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
