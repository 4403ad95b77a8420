import { assertFeatures, assertSameDim, type Features } from "../features.ts";
import type { LongCall } from "../long-call.ts";
import { nearest } from "../nearest.ts";
import { averagePrecision } from "../retrieval/average-precision.ts";
import { type Candidate, microAveragePrecision } from "./micro-average-precision.ts";

export interface CopyDetectionOptions extends LongCall {
  /** Rows that are looked at for each query. */
  readonly k?: number;
}

/** How well copies were found, in percent; NaN where no query is a copy of anything. */
export interface CopyDetectionScores {
  /** Mean of the queries' own average precision (mAP), over those that are copies. */
  readonly meanAveragePrecision: number;
  /** Average precision of all queries' candidates in one list (µAP). */
  readonly microAveragePrecision: number;
}

/**
 * Finds the originals of copies among other pictures: the k rows of `database` with the largest
 * cosine similarity to a query are its candidates, and `originals` says for each query which rows
 * are right (Douze et al. 2009, as in facebookresearch/dino's eval_copy_detection.py). A right row
 * beyond the first k counts as missed.
 */
export async function copyDetection(
  queries: Features,
  database: Features,
  originals: readonly ArrayLike<number>[],
  { k = 20, ...longCall }: CopyDetectionOptions = {},
): Promise<CopyDetectionScores> {
  assertFeatures("queries", queries);
  assertFeatures("database", database);
  assertSameDim("queries", queries, "database", database);
  if (originals.length !== queries.count) {
    throw new RangeError(
      `originals: expected those of ${queries.count} queries, got ${originals.length}`,
    );
  }
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(`k: expected a whole number from 1, got ${k}`);
  }
  const depth = Math.min(k, database.count);
  const { similarities, indices } = await nearest(queries, database, { k: depth, ...longCall });

  const candidates: Candidate[] = [];
  let [sum, copies, positives] = [0, 0, 0];
  originals.forEach((list, query) => {
    const right = new Set(Array.from(list));
    const ranks: number[] = [];
    for (let rank = 0; rank < depth; rank++) {
      const at = query * depth + rank;
      const isRight = right.has(indices[at] as number);
      if (isRight) ranks.push(rank);
      candidates.push({ score: similarities[at] as number, isRight });
    }
    if (right.size === 0) return;
    sum += averagePrecision(ranks, right.size);
    copies++;
    positives += right.size;
  });
  return {
    meanAveragePrecision: (100 * sum) / copies,
    microAveragePrecision: 100 * microAveragePrecision(candidates, positives),
  };
}
