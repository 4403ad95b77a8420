import { averagePrecision } from "./average-precision.ts";

/** What a query should find, by number of row. */
export interface QueryTruth {
  /** Rows that show the same. A query without any is left out of means. */
  readonly positives: ArrayLike<number>;
  /** Rows that neither help nor harm: they are taken out of the ranking. */
  readonly junk?: ArrayLike<number>;
}

/** How well one query found what it should, in percent. */
export interface QueryScores {
  readonly averagePrecision: number;
  /** The share of right rows among the first k, by k. */
  readonly precision: Readonly<Record<string, number>>;
}

/**
 * Scores one ranking (rows, best first), or says nothing where there is nothing to find. Precision
 * at k looks no further than the last right row, as the Oxford benchmark has it.
 */
export function queryScores(
  ranking: ArrayLike<number>,
  { positives, junk = [] }: QueryTruth,
  k: readonly number[],
): QueryScores | undefined {
  if (positives.length === 0) return undefined;
  const ranks = ranksOf(ranking, new Set(Array.from(positives)), new Set(Array.from(junk)));
  const precision = k.map((each) => {
    const depth = Math.min(each, 1 + (ranks.at(-1) ?? each));
    return [each, (100 * ranks.filter((rank) => rank < depth).length) / depth] as const;
  });
  return {
    averagePrecision: 100 * averagePrecision(ranks, positives.length),
    precision: Object.fromEntries(precision),
  };
}

/** The places of the right rows once junk is out of the way. */
function ranksOf(
  ranking: ArrayLike<number>,
  positives: ReadonlySet<number>,
  junk: ReadonlySet<number>,
): readonly number[] {
  const ranks: number[] = [];
  let passed = 0;
  for (let place = 0; place < ranking.length; place++) {
    const row = ranking[place] as number;
    if (positives.has(row)) ranks.push(place - passed);
    if (junk.has(row)) passed++;
  }
  return ranks;
}
