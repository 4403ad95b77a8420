import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "../operation.ts";
import { assertShape } from "../shape.ts";

type X = { readonly x: tf.Tensor2D };

const unit = differentiable<X, X & { readonly norm: tf.Tensor2D }, { readonly epsilon: number }>({
  name: "L2Normalize",
  forward: ({ x }, { epsilon }) => {
    const norm = tf.maximum(rowNorms(x), epsilon);
    return [tf.div(x, norm), norm];
  },
  saved: ({ x }, [, norm]) => ({ x, norm: norm as tf.Tensor2D }),
  backward: ({ dy, x, norm }, { epsilon }) => {
    const y = tf.div(x, norm);
    // Where the norm was below epsilon, it was a constant.
    const along = tf.mul(
      tf.sum(tf.mul(dy, y), 1, true),
      tf.cast(tf.greater(norm, epsilon), "float32"),
    );
    return [tf.div(tf.sub(dy, tf.mul(y, along)), norm)];
  },
});

function rowNorms(x: tf.Tensor2D): tf.Tensor2D {
  return tf.sqrt(tf.sum<tf.Tensor2D>(tf.square(x), 1, true));
}

/** Rows of length 1: `x / max(|x|, epsilon)` over the last axis, `[..., dim]` to the same shape. */
export function l2Normalize<T extends tf.Tensor>(
  x: T,
  { epsilon = 1e-12 }: { readonly epsilon?: number } = {},
): T {
  return tf.tidy(() => {
    const rows = tf.reshape(x, [-1, x.shape.at(-1) as number]);
    return tf.reshape(unit({ x: rows }, { epsilon }), x.shape) as T;
  });
}

type Inputs = X & { readonly gain: tf.Tensor2D; readonly direction: tf.Tensor2D };

const normalizedLinear = differentiable<Inputs, Inputs, Record<never, never>>({
  name: "WeightNormLinear",
  forward: ({ x, gain, direction }) => {
    const weight = tf.mul<tf.Tensor2D>(direction, tf.div(gain, rowNorms(direction)));
    return [tf.matMul(x, weight, false, true)];
  },
  saved: (inputs) => inputs,
  backward: ({ dy, x, gain, direction }) => {
    const norms = rowNorms(direction);
    const unitRows = tf.div<tf.Tensor2D>(direction, norms);
    const dWeight = tf.matMul<tf.Tensor2D>(dy as tf.Tensor2D, x, true, false);
    const dGain = tf.sum<tf.Tensor2D>(tf.mul(dWeight, unitRows), 1, true);
    const dDirection = tf.mul(tf.sub(dWeight, tf.mul(unitRows, dGain)), tf.div(gain, norms));
    return [tf.matMul(dy as tf.Tensor2D, tf.mul(unitRows, gain)), dGain, dDirection];
  },
});

/**
 * A linear layer without bias whose weight's rows are `gain * direction / |direction|` (Salimans
 * and Kingma 2016): `x` `[rows, in]`, `gain` `[out, 1]`, `direction` `[out, in]` to `[rows, out]`.
 */
export function weightNormLinear(
  x: tf.Tensor2D,
  gain: tf.Tensor2D,
  direction: tf.Tensor2D,
): tf.Tensor2D {
  const [out, inputs] = direction.shape;
  assertShape("x", x, [null, inputs]);
  assertShape("gain", gain, [out, 1]);
  return normalizedLinear({ x, gain, direction }, {}) as tf.Tensor2D;
}
