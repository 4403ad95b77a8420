import type { Segment } from "@dino/ops";
import { type Arithmetic, type GraphArithmetic, program, type Value } from "./program.ts";

/** What attention is written down for. */
export interface AttentionShape {
  readonly dim: number;
  readonly heads: number;
  readonly segments: readonly Segment[];
}

/** Attention within each sequence, of queries that have been scaled. */
export interface AttentionGraph {
  /** Packed rows `[rows, 3 * dim]` to `[rows, dim]`. */
  forward(a: GraphArithmetic, qkv: Value): Value;
  /** The gradient of `qkv` from that of `mixed`, which is what `forward` gave. */
  backward(a: GraphArithmetic, of: { dMixed: Value; mixed: Value; qkv: Value }): Value;
}

/** `[sequences, heads, tokens, head dim]` each. */
interface Heads {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

export function attentionGraph({ dim, heads, segments }: AttentionShape): AttentionGraph {
  const width = dim / heads;
  const alongs = program("alongs", ["dMixed", "mixed"], (a, { dMixed, mixed }) => [
    sumOfGroups(a, a.mul(dMixed, mixed), width),
  ]);
  const split = (a: GraphArithmetic, rows: Value, { sequences, tokens }: Segment): Heads => {
    const apart = a.reshape(rows, [sequences, tokens, 3, heads, width]);
    const together = a.transpose(apart, [2, 0, 3, 1, 4]);
    const [q, k, v] = [0, 1, 2].map((i) =>
      a.reshape(a.part(together, i, 1), [sequences, heads, tokens, width]),
    );
    return { q, k, v } as Heads;
  };
  const probabilities = (a: GraphArithmetic, { q, k }: Heads) =>
    a.softmax(a.matMul(q, k, false, true));
  return {
    forward: (a, qkv) =>
      bySegment(a, [qkv], segments, ([rows], segment) => {
        const { sequences, tokens } = segment;
        const parts = split(a, rows as Value, segment);
        const mixed = a.matMul(probabilities(a, parts), parts.v);
        return a.reshape(a.transpose(mixed, [0, 2, 1, 3]), [sequences * tokens, dim]);
      }),
    backward: (a, { dMixed, mixed, qkv }) => {
      // What the softmax takes from each row of its gradient: no sum over all pairs of tokens.
      const along = a.reshape(a.call(alongs, [dMixed, mixed])[0] as Value, [-1, heads]);
      return bySegment(a, [qkv, dMixed, along], segments, ([rows, dRows, alongRows], segment) => {
        const { sequences, tokens } = segment;
        const parts = split(a, rows as Value, segment);
        const byHead = (x: Value | undefined, last: number) =>
          a.transpose(a.reshape(x as Value, [sequences, tokens, heads, last]), [0, 2, 1, 3]);
        const dOut = byHead(dRows, width);
        const p = probabilities(a, parts);
        const dP = a.matMul(dOut, parts.v, false, true);
        const [dScores] = a.call(softmaxBackward, [p, dP, byHead(alongRows, 1)]) as [Value];
        const together = a.stack([
          a.matMul(dScores, parts.k),
          a.matMul(dScores, parts.q, true, false),
          a.matMul(p, dOut, true, false),
        ]);
        const apart = a.transpose(together, [1, 3, 0, 2, 4]);
        return a.reshape(apart, [sequences * tokens, 3 * dim]);
      });
    },
  };
}

const softmaxBackward = program("softmaxBackward", ["p", "dP", "along"], (a, of) => [
  a.mul(of.p, a.sub(of.dP, of.along)),
]);

/** As many numbers as the processor adds up at once. */
const lanes = 8;

/**
 * The sums of groups of `size` numbers that follow each other, as a vector. By lanes first, and
 * those afterwards: otherwise XLA would add one number after the other.
 */
function sumOfGroups(a: Arithmetic, x: Value, size: number): Value {
  if (size % lanes !== 0) return a.sum(a.reshape(x, [-1, size]), 1);
  return a.sum(a.sum(a.reshape(x, [-1, size / lanes, lanes]), 1), 1);
}

/** `write` of each segment's rows of every value, put together again. */
function bySegment(
  a: GraphArithmetic,
  values: readonly Value[],
  segments: readonly Segment[],
  write: (rows: readonly Value[], segment: Segment) => Value,
): Value {
  let first = 0;
  const parts = segments.map((segment) => {
    const count = segment.sequences * segment.tokens;
    const rows = segments.length === 1 ? values : values.map((each) => a.part(each, first, count));
    first += count;
    return write(rows, segment);
  });
  return a.concat(parts);
}
