import * as tf from "@tensorflow/tfjs-core";
import { principalAxes } from "./principal-axes.ts";

export interface Projection {
  /** For each component, where each row lies along it. */
  readonly scores: readonly Float32Array[];
  /** The share of the variance that each component holds, in [0, 1]. */
  readonly explained: readonly number[];
}

/** Rows of `dim` values along their first `components` principal components. */
export async function project(
  rows: Float32Array,
  dim: number,
  components: number,
): Promise<Projection> {
  const count = rows.length / dim;
  const centered = tf.tidy(() => {
    const x = tf.tensor2d(rows, [count, dim]);
    return tf.sub<tf.Tensor2D>(x, tf.mean(x, 0));
  });
  try {
    const covariance = await read(() => {
      return tf.div(tf.matMul(centered, centered, true), count - 1); // [dim, dim]
    });
    const axes = principalAxes(covariance, dim, components);
    const scores = await read(() => {
      const directions = axes.map(({ direction }) => tf.tensor1d(Float32Array.from(direction)));
      return tf.matMul(tf.stack(directions), centered, false, true); // [components, count]
    });
    let total = 0;
    for (let i = 0; i < dim; i++) total += covariance[i * dim + i] as number;
    return {
      scores: axes.map((_, i) => scores.slice(i * count, (i + 1) * count)),
      explained: axes.map(({ variance }) => (total > 0 ? Math.min(1, variance / total) : 0)),
    };
  } finally {
    centered.dispose();
  }
}

/** The values of a tensor that is made for nothing else. */
async function read(make: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(make);
  return Float32Array.from(await tensor.data().finally(() => tensor.dispose()));
}
