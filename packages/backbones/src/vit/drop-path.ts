import { type Segment, ShapeError, sequencesOf } from "@dino/ops";
import { fold, type Key, random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import type { BatchPart, Training } from "../backbone.ts";

/** How often each block's branches are dropped: from 0 in the first to `last` in the last, evenly. */
export function dropRates(last: number, depth: number): readonly number[] {
  return Array.from({ length: depth }, (_, block) =>
    depth > 1 ? (last * block) / (depth - 1) : 0,
  );
}

/** What tells one of a block's two branches from all others. */
export interface Branch {
  readonly block: number;
  readonly half: "attention" | "mlp";
  readonly rate: number;
}

/**
 * Stochastic depth (Huang et al. 2016): by which each sequence's branch is multiplied,
 * `[sequences of all segments]`: 0 with probability `rate`, else `1 / (1 - rate)`. Nothing where
 * nothing is dropped.
 */
export function pathScale(
  { block, half, rate }: Branch,
  segments: readonly Segment[],
  mode: Training | undefined,
): tf.Tensor1D | undefined {
  const key = mode?.key;
  if (key === undefined || rate === 0) return undefined;
  const scale = new Float32Array(sequencesOf(segments));
  let sequence = 0;
  segments.forEach(({ sequences }, i) => {
    const own = fold(key, i, block, half === "attention" ? 0 : 1);
    for (const draw of draws(own, sequences, mode?.part)) {
      scale[sequence++] = draw < rate ? 0 : 1 / (1 - rate);
    }
  });
  return tf.tensor1d(scale);
}

/** A number from 0 to 1 for each of `sequences`, drawn as for the whole batch of which they are a part. */
function draws(
  key: Key,
  sequences: number,
  part: BatchPart = { first: 0, count: sequences, batch: sequences },
): readonly number[] {
  const { first, count, batch } = part;
  const views = sequences / count;
  if (!Number.isInteger(views)) {
    throw new ShapeError(`crops: expected a multiple of ${count} pictures, got ${sequences}`);
  }
  const stream = random(key);
  const all = Array.from({ length: views * batch }, () => stream.uniform());
  return all.filter((_, i) => i % batch >= first && i % batch < first + count);
}
