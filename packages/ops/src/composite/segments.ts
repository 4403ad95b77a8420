import * as tf from "@tensorflow/tfjs-core";
import type { Segment } from "../segment.ts";

/** `f` of each segment's rows of every tensor, put together again. */
export function bySegment(
  tensors: readonly tf.Tensor2D[],
  segments: readonly Segment[],
  f: (rows: readonly tf.Tensor2D[], segment: Segment) => tf.Tensor2D,
): tf.Tensor2D {
  const [only] = segments;
  if (only !== undefined && segments.length === 1) return f(tensors, only);
  const sizes = segments.map(({ sequences, tokens }) => sequences * tokens);
  const parts = tensors.map((tensor) => tf.split(tensor, sizes) as tf.Tensor2D[]);
  return tf.concat(
    segments.map((segment, i) =>
      f(
        parts.map((part) => part[i] as tf.Tensor2D),
        segment,
      ),
    ),
  );
}

/** Every sequence's rows times its own factor of `scale`, `[sequences]`. */
export function scaleSequences(
  x: tf.Tensor2D,
  segments: readonly Segment[],
  scale: tf.Tensor1D | undefined,
): tf.Tensor2D {
  if (scale === undefined) return x;
  let first = 0;
  const factors = segments.map(({ sequences, tokens }) => {
    const part = tf.reshape(tf.slice(scale, first, sequences), [sequences, 1]);
    first += sequences;
    return tf.reshape(tf.tile(part, [1, tokens]), [sequences * tokens, 1]);
  });
  return tf.mul(x, factors.length === 1 ? (factors[0] as tf.Tensor) : tf.concat(factors));
}
