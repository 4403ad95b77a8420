import * as tf from "@tensorflow/tfjs-core";
import type { Segment } from "../segment.ts";
import { bySegment } from "./segments.ts";

interface Heads {
  readonly q: tf.Tensor4D;
  readonly k: tf.Tensor4D;
  readonly v: tf.Tensor4D;
}

/** Packed rows `[sequences * tokens, 3 * dim]` to q, k and v, `[sequences, heads, tokens, head dim]`. */
function split(qkv: tf.Tensor2D, { sequences, tokens }: Segment, heads: number): Heads {
  const width = (qkv.shape[1] as number) / (3 * heads);
  const apart = tf.reshape(qkv, [sequences, tokens, 3, heads, width]);
  const together = tf.transpose(apart, [2, 0, 3, 1, 4]);
  const [q, k, v] = [0, 1, 2].map((i) =>
    // Slices, because unstacking copies whole tensors on some backends.
    tf.reshape(tf.slice(together, i, 1), [sequences, heads, tokens, width]),
  );
  return { q, k, v } as Heads;
}

/** `[sequences, heads, tokens, head dim]` to rows `[sequences * tokens, dim]`. */
function join(x: tf.Tensor4D): tf.Tensor2D {
  const [sequences, heads, tokens, width] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [sequences * tokens, heads * width]);
}

/** Softmax of the scaled products of queries and keys, `[sequences, heads, tokens, tokens]`. */
export function attentionProbabilities(
  qkv: tf.Tensor2D,
  segment: Segment,
  heads: number,
): tf.Tensor4D {
  const { q, k } = split(qkv, segment, heads);
  return probabilities(q, k);
}

function probabilities(q: tf.Tensor4D, k: tf.Tensor4D): tf.Tensor4D {
  const scale = (q.shape[3] as number) ** -0.5;
  return tf.softmax(tf.matMul(tf.mul(q, scale), k, false, true));
}

/** Multi-head self-attention within each sequence: `[rows, 3 * dim]` to `[rows, dim]`. */
export function attentionForward(
  qkv: tf.Tensor2D,
  segments: readonly Segment[],
  heads: number,
): tf.Tensor2D {
  return bySegment([qkv], segments, ([rows], segment) =>
    tf.tidy(() => {
      const { q, k, v } = split(rows as tf.Tensor2D, segment, heads);
      return join(tf.matMul(probabilities(q, k), v));
    }),
  );
}

/** The gradient of `attentionForward`; the probabilities are computed again. */
export function attentionBackward(
  dy: tf.Tensor2D,
  qkv: tf.Tensor2D,
  segments: readonly Segment[],
  heads: number,
): tf.Tensor2D {
  const dim = dy.shape[1];
  return bySegment([qkv, dy], segments, ([packed, dRows], segment) =>
    tf.tidy(() => {
      const { sequences, tokens } = segment;
      const width = dim / heads;
      const { q, k, v } = split(packed as tf.Tensor2D, segment, heads);
      const apart = tf.reshape(dRows as tf.Tensor2D, [sequences, tokens, heads, width]);
      const dOut = tf.transpose(apart, [0, 2, 1, 3]);
      const p = probabilities(q, k);
      const dV = tf.matMul(p, dOut, true, false);
      const dP = tf.matMul(dOut, v, false, true);
      const weighted = tf.mul(dP, p);
      const dScores = tf.mul(tf.sub(weighted, tf.mul(p, tf.sum(weighted, 3, true))), width ** -0.5);
      const dQ = tf.matMul(dScores, k);
      const dK = tf.matMul(dScores, q, true, false);
      const together = tf.stack([dQ, dK, dV]); // [3, sequences, heads, tokens, width]
      return tf.reshape(tf.transpose(together, [1, 3, 0, 2, 4]), [sequences * tokens, 3 * dim]);
    }),
  );
}
