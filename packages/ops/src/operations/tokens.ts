import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Kernels, kernelsOf, type Operation } from "../operation.ts";
import { rowsOf, type Segment } from "../segment.ts";
import { assertShape } from "../shape.ts";

type Rows = { readonly x: tf.Tensor2D };

type None = Record<never, never>;
type Segments = { readonly segments: readonly Segment[] };

const operation: Operation<Rows, None, Segments> = {
  name: "ClassTokens",
  forward: ({ x }, { segments }) => {
    const dim = x.shape[1];
    let row = 0;
    const parts = segments.map(({ sequences, tokens }) => {
      const rows = tf.slice(x, row, sequences * tokens);
      row += sequences * tokens;
      const apart = tf.reshape(rows, [sequences, tokens, dim]);
      return tf.reshape(tf.slice(apart, 0, [sequences, 1, dim]), [sequences, dim]) as tf.Tensor2D;
    });
    return [parts.length === 1 ? (parts[0] as tf.Tensor) : tf.concat(parts)];
  },
  saved: () => ({}),
  backward: ({ dy }, { segments }) => {
    const dim = dy.shape[1] as number;
    let sequence = 0;
    const parts = segments.map(({ sequences, tokens }) => {
      const rows = tf.slice(dy as tf.Tensor2D, sequence, sequences);
      sequence += sequences;
      const apart = tf.reshape(rows, [sequences, 1, dim]) as tf.Tensor3D;
      const padded = tf.pad(apart, [
        [0, 0],
        [0, tokens - 1],
        [0, 0],
      ]);
      return tf.reshape(padded, [sequences * tokens, dim]) as tf.Tensor2D;
    });
    return [parts.length === 1 ? (parts[0] as tf.Tensor) : tf.concat(parts)];
  },
};

const firstOfEach = differentiable(operation);

/** The kernels, for larger operations. */
export const classTokensKernels: Kernels<Rows, None, Segments> = kernelsOf(operation);

/** The first token of every sequence: rows `[rows, dim]` to `[sequences, dim]`. */
export function classTokens(x: tf.Tensor2D, segments: readonly Segment[]): tf.Tensor2D {
  assertShape("x", x, [rowsOf(segments), null]);
  return firstOfEach({ x }, { segments }) as tf.Tensor2D;
}

type Resampled = Rows & { readonly matrix: tf.Tensor2D };

const product = differentiable<Resampled, { readonly matrix: tf.Tensor2D }, None>({
  name: "Resample",
  forward: ({ x, matrix }) => [tf.matMul(matrix, x)],
  saved: ({ matrix }) => ({ matrix }),
  backward: ({ dy, matrix }) => [tf.matMul(matrix, dy as tf.Tensor2D, true, false)],
});

/**
 * New rows as fixed mixtures of old ones, as interpolation makes them: `matrix` `[m, n]` times
 * `x` `[n, dim]`. The gradient reaches `x` alone.
 */
export function resample(x: tf.Tensor2D, matrix: tf.Tensor2D): tf.Tensor2D {
  assertShape("matrix", matrix, [null, x.shape[0]]);
  return product({ x }, {}, { matrix }) as tf.Tensor2D;
}
