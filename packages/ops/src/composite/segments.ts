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
  let first = 0;
  const parts = segments.map((segment) => {
    const count = segment.sequences * segment.tokens;
    // Slices, because a split copies whole tensors on some backends.
    const rows = tensors.map((tensor) => tf.slice(tensor, first, count));
    first += count;
    return f(rows, segment);
  });
  return tf.concat(parts);
}

/** What the class tokens are by themselves: as many sequences, of one token each. */
export function classSegments(segments: readonly Segment[]): readonly Segment[] {
  return segments.map(({ sequences }) => ({ sequences, tokens: 1 }));
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
