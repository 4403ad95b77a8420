import { clipByNorm, type Params, squaredNorm, squaredNormOfAll } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";

export interface ClipOptions {
  /** The norm that a gradient may have. */
  readonly maximum: number;
  /** Whether each tensor's gradient is held to it, as DINO's reference does, or all of them together. */
  readonly mode?: "per-tensor" | "global";
}

/**
 * The gradients, shortened where they are longer than `maximum`: PyTorch's
 * `min(1, maximum / (norm + 1e-6))`. Consumes them. Nothing is read back.
 */
export function clipGradients(
  gradients: Params,
  { maximum, mode = "per-tensor" }: ClipOptions,
): Params {
  if (!(maximum > 0)) throw new RangeError(`maximum: expected above 0, got ${maximum}`);
  if (mode === "per-tensor") return mapped(gradients, (x) => clipByNorm(x, { maximum }));
  const clipped = tf.tidy(() => {
    const norm = gradientNorm(gradients);
    const scale = tf.minimum(tf.div(maximum, tf.add(norm, 1e-6)), 1);
    return mapped(gradients, (gradient) => tf.mul(gradient, scale));
  });
  tf.dispose(gradients);
  return clipped;
}

/** The norm of all gradients together, as a tensor: nothing is read back. */
export function gradientNorm(gradients: Params): tf.Scalar {
  return tf.tidy(() => tf.sqrt(squaredNormOfAll(Object.values(gradients))));
}

/** Each gradient's own norm by parameter name, as scalars: nothing is read back. */
export function gradientNorms(gradients: Params): Readonly<Record<string, tf.Scalar>> {
  return mapped(gradients, (gradient) => tf.tidy(() => tf.sqrt(squaredNorm(gradient))));
}

function mapped<T extends tf.Tensor>(
  params: Params,
  f: (value: tf.Tensor) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, f(value)]));
}
