import * as tf from "@tensorflow/tfjs-core";
import type { Segment } from "../segment.ts";

/** One segment's queries, keys and values, head by head. */
interface Heads {
  /** `[sequences, heads, 1, head dim]` */
  readonly q: tf.Tensor4D;
  /** `[sequences, heads, tokens, head dim]`, like `v`. */
  readonly k: tf.Tensor4D;
  readonly v: tf.Tensor4D;
}

/**
 * Attention of the first token of every sequence to all of its tokens: queries `q`
 * `[sequences, dim]`, keys and then values `kv` `[rows, 2 * dim]`, to `[sequences, dim]`.
 */
export function classAttentionForward(
  q: tf.Tensor2D,
  kv: tf.Tensor2D,
  segments: readonly Segment[],
  heads: number,
): tf.Tensor2D {
  const parts = places(segments).map(({ segment, sequence, row }) =>
    tf.tidy(() => {
      const { sequences, tokens } = segment;
      const queries = rowsFrom(q, sequence, sequences);
      const split = splitHeads(queries, rowsFrom(kv, row, sequences * tokens), segment, heads);
      return rows(tf.matMul(probabilities(split), split.v), queries);
    }),
  );
  return joined(parts);
}

/** The gradients of `classAttentionForward`; the probabilities are computed again. */
export function classAttentionBackward(
  dy: tf.Tensor2D,
  q: tf.Tensor2D,
  kv: tf.Tensor2D,
  segments: readonly Segment[],
  heads: number,
): readonly [dq: tf.Tensor2D, dkv: tf.Tensor2D] {
  const parts = places(segments).map(({ segment, sequence, row }) => {
    const { sequences, tokens } = segment;
    return tf.tidy(() => {
      const queries = rowsFrom(q, sequence, sequences);
      const pairs = rowsFrom(kv, row, sequences * tokens);
      const split = splitHeads(queries, pairs, segment, heads);
      const { k, v } = split;
      const dOut = tf.reshape(rowsFrom(dy, sequence, sequences), split.q.shape);
      const p = probabilities(split);
      const weighted = tf.mul(tf.matMul(dOut, v, false, true), p);
      const slopes = tf.sub(weighted, tf.mul(p, tf.sum(weighted, 3, true)));
      const dScores = tf.mul(slopes, (k.shape[3] as number) ** -0.5);
      const dK = tf.matMul(dScores, split.q, true, false);
      const dV = tf.matMul(p, dOut, true, false);
      const together = tf.transpose(tf.stack([dK, dV]), [1, 3, 0, 2, 4]);
      return {
        dq: rows(tf.matMul(dScores, k), queries),
        dkv: rows(together, pairs),
      };
    });
  });
  return [joined(parts.map(({ dq }) => dq)), joined(parts.map(({ dkv }) => dkv))];
}

/** Every segment with its first sequence and its first row. */
function places(
  segments: readonly Segment[],
): readonly { readonly segment: Segment; readonly sequence: number; readonly row: number }[] {
  let [sequence, row] = [0, 0];
  return segments.map((segment) => {
    const place = { segment, sequence, row };
    sequence += segment.sequences;
    row += segment.sequences * segment.tokens;
    return place;
  });
}

function splitHeads(
  q: tf.Tensor2D,
  kv: tf.Tensor2D,
  { sequences, tokens }: Segment,
  heads: number,
): Heads {
  const width = q.shape[1] / heads;
  const apart = tf.reshape(kv, [sequences, tokens, 2, heads, width]);
  const together = tf.transpose(apart, [2, 0, 3, 1, 4]);
  const [k, v] = [0, 1].map((i) =>
    // Slices, because unstacking copies whole tensors on some backends.
    tf.reshape(tf.slice(together, i, 1), [sequences, heads, tokens, width]),
  );
  return { q: tf.reshape(q, [sequences, heads, 1, width]), k, v } as Heads;
}

/** `[sequences, heads, 1, tokens]` */
function probabilities({ q, k }: Heads): tf.Tensor4D {
  const scale = (q.shape[3] as number) ** -0.5;
  return tf.softmax(tf.matMul(tf.mul(q, scale), k, false, true));
}

/** `x` in the shape of `like`. */
function rows(x: tf.Tensor, like: tf.Tensor2D): tf.Tensor2D {
  return tf.reshape(x, like.shape);
}

/** Some rows of `x`; all of them are not copied. */
function rowsFrom(x: tf.Tensor2D, first: number, count: number): tf.Tensor2D {
  return count === x.shape[0] ? x : tf.slice(x, first, count);
}

function joined(parts: readonly tf.Tensor2D[]): tf.Tensor2D {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : tf.concat([...parts]);
}
