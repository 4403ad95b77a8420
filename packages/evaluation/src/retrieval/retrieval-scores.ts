import { type QueryScores, type QueryTruth, queryScores } from "./query-scores.ts";

export interface RetrievalScoresOptions {
  /** How many first rows precision is asked for. Several are counted in one go. */
  readonly k?: readonly number[];
}

/** How well all queries found what they should, in percent. */
export interface RetrievalScores {
  /** Mean average precision (mAP) of the queries that have something to find; NaN where none has. */
  readonly meanAveragePrecision: number;
  /** Mean precision among the first k (mP@k), by k. */
  readonly meanPrecision: Readonly<Record<string, number>>;
  /** Each query's own scores; nothing for one that has nothing to find. */
  readonly queries: readonly (QueryScores | undefined)[];
}

/** The precision of 1, 5 and 10 rows, which the revisited Oxford and Paris benchmarks report. */
const usualK = [1, 5, 10] as const;

/** Scores a ranking a query: the rows that it found, best first. */
export function retrievalScores(
  rankings: readonly ArrayLike<number>[],
  truth: readonly QueryTruth[],
  { k = usualK }: RetrievalScoresOptions = {},
): RetrievalScores {
  assertK(k);
  if (rankings.length !== truth.length) {
    throw new RangeError(`truth: expected ${rankings.length} queries, got ${truth.length}`);
  }
  return meanScores(
    rankings.map((ranking, query) => queryScores(ranking, truth[query] as QueryTruth, k)),
    k,
  );
}

/** The means over the queries that have something to find. */
export function meanScores(
  queries: readonly (QueryScores | undefined)[],
  k: readonly number[],
): RetrievalScores {
  const counted = queries.filter((query) => query !== undefined);
  const mean = (of: (query: QueryScores) => number) =>
    counted.reduce((sum, query) => sum + of(query), 0) / counted.length;
  return {
    meanAveragePrecision: mean((query) => query.averagePrecision),
    meanPrecision: Object.fromEntries(
      k.map((each) => [each, mean((query) => query.precision[each] as number)]),
    ),
    queries,
  };
}

/** Fails unless `k` holds whole numbers from 1. */
export function assertK(k: readonly number[]): void {
  for (const each of k) {
    if (Number.isInteger(each) && each >= 1) continue;
    throw new RangeError(`k: expected whole numbers from 1, got ${each}`);
  }
}
