import * as tf from "@tensorflow/tfjs-core";
import { geluSlope, normalCdf } from "../composite/gelu.ts";
import { affine, affineBackward } from "../composite/rows.ts";
import { differentiable } from "../operation.ts";
import { assertShape } from "../shape.ts";

export type Activation = "none" | "gelu" | "relu";

export interface LinearOptions {
  /** What follows the affine map; `gelu` is the exact one. */
  readonly activation?: Activation;
}

type Inputs = { readonly x: tf.Tensor2D; readonly weight: tf.Tensor2D; readonly bias: tf.Tensor1D };
type Saved = {
  readonly x: tf.Tensor2D;
  readonly weight: tf.Tensor2D;
  readonly before: tf.Tensor2D;
};

const operation = differentiable<Inputs, Saved, { readonly activation: Activation }>({
  name: "Linear",
  forward: ({ x, weight, bias }, { activation }) => {
    const before = affine(x, weight, bias);
    return activation === "none" ? [before] : [activate[activation].forward(before), before];
  },
  saved: ({ x, weight }, [output, before]) => ({
    x,
    weight,
    before: (before ?? output) as tf.Tensor2D,
  }),
  backward: ({ dy, x, weight, before }, { activation }) => {
    const rows = dy as tf.Tensor2D;
    if (activation === "none") return affineBackward(rows, x, weight);
    return affineBackward(tf.mul(rows, activate[activation].slope(before)), x, weight);
  },
});

const activate = {
  gelu: {
    forward: (x: tf.Tensor2D): tf.Tensor2D => tf.mul(x, normalCdf(x)),
    slope: (x: tf.Tensor2D): tf.Tensor2D => geluSlope(x, normalCdf(x)),
  },
  relu: {
    forward: (x: tf.Tensor2D): tf.Tensor2D => tf.relu(x),
    slope: (x: tf.Tensor2D): tf.Tensor2D => tf.step(x),
  },
} as const;

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
    const y = operation({ x: rows, weight, bias }, { activation });
    return tf.reshape(y, [...x.shape.slice(0, -1), out]) as T;
  });
}
