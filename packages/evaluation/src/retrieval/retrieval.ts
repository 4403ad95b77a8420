import { assertFeatures, assertSameDim, type Features } from "../features.ts";
import type { LongCall } from "../long-call.ts";
import { type QueryScores, type QueryTruth, queryScores } from "./query-scores.ts";
import { rankings } from "./rankings.ts";
import {
  assertK,
  meanScores,
  type RetrievalScores,
  type RetrievalScoresOptions,
} from "./retrieval-scores.ts";

export interface RetrievalOptions extends RetrievalScoresOptions, LongCall {}

/** What every query should find, by the name of a protocol: easy, medium, hard, or any other. */
export type Protocols<Name extends string = string> = Readonly<Record<Name, readonly QueryTruth[]>>;

/**
 * Image retrieval: rows are ranked by their cosine similarity to each query, and the ranking is
 * scored by one or several protocols (Radenovic et al. 2018, https://arxiv.org/abs/1803.11285, as
 * in facebookresearch/dino's eval_image_retrieval.py).
 */
export async function retrieval<Name extends string>(
  queries: Features,
  rows: Features,
  protocols: Protocols<Name>,
  { k = [1, 5, 10], ...longCall }: RetrievalOptions = {},
): Promise<Record<Name, RetrievalScores>> {
  assertFeatures("queries", queries);
  assertFeatures("rows", rows);
  assertSameDim("queries", queries, "rows", rows);
  assertK(k);
  const names = Object.keys(protocols) as Name[];
  for (const name of names) assertTruth(name, protocols[name], queries.count, rows.count);

  const scored = new Map<Name, (QueryScores | undefined)[]>(names.map((name) => [name, []]));
  let query = 0;
  for await (const ranking of rankings(queries, rows, longCall)) {
    for (const [name, scores] of scored) {
      scores.push(queryScores(ranking, protocols[name][query] as QueryTruth, k));
    }
    query++;
  }
  const means = [...scored].map(([name, scores]) => [name, meanScores(scores, k)] as const);
  return Object.fromEntries(means) as Record<Name, RetrievalScores>;
}

function assertTruth(
  name: string,
  truth: readonly QueryTruth[],
  queries: number,
  rows: number,
): void {
  if (truth.length !== queries) {
    throw new RangeError(`${name}: expected the truth of ${queries} queries, got ${truth.length}`);
  }
  truth.forEach(({ positives, junk = [] }, query) => {
    for (const row of [...Array.from(positives), ...Array.from(junk)]) {
      if (Number.isInteger(row) && row >= 0 && row < rows) continue;
      throw new RangeError(
        `${name}: expected rows from 0 to ${rows - 1}, got ${row} for query ${query}`,
      );
    }
  });
}
