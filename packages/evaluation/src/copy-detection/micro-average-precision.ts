/** A row that was found for a query. */
export interface Candidate {
  /** How sure of it one is: comparable from query to query. */
  readonly score: number;
  readonly isRight: boolean;
}

/**
 * Average precision over the candidates of all queries in one list, from 0 to 1 (µAP): unlike the
 * mean over queries, it asks for one threshold that serves them all, and a query without a copy
 * counts by the wrong candidates it brings (Perronnin et al. 2009). `positives` is how many right
 * candidates there are to find. Of equal scores, those that come first are the better.
 */
export function microAveragePrecision(candidates: readonly Candidate[], positives: number): number {
  const sorted = [...candidates].sort((a, b) => b.score - a.score); // stable
  let right = 0;
  let sum = 0;
  sorted.forEach(({ isRight }, place) => {
    if (!isRight) return;
    right++;
    sum += right / (place + 1);
  });
  return sum / positives;
}
