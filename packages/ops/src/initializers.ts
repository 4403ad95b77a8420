import type { Random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";

type Shape = readonly number[];

/**
 * Normal with standard deviation `std`, cut at the absolute values -2 and 2 as PyTorch's
 * `trunc_normal_` does: how the reference initialises linear layers and tokens.
 */
export function truncatedNormal(random: Random, shape: Shape, std = 0.02): tf.Tensor {
  return filled(shape, () => random.truncatedNormal({ std }));
}

/** Uniform in `[-bound, bound)`. */
export function uniform(random: Random, shape: Shape, bound: number): tf.Tensor {
  return filled(shape, () => random.uniform(-bound, bound));
}

/** Normal with variance `2 / fanOut` (He et al. 2015): convolutions before a ReLU. */
export function kaimingNormal(random: Random, shape: Shape, fanOut: number): tf.Tensor {
  return filled(shape, () => random.normal(0, Math.sqrt(2 / fanOut)));
}

function filled(shape: Shape, draw: () => number): tf.Tensor {
  const values = new Float32Array(tf.util.sizeFromShape([...shape]));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return tf.tensor(values, [...shape]);
}
