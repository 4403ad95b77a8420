/**
 * The area below the curve of precision over recall, from 0 to 1, by the trapezoid rule of the
 * Oxford and Holidays benchmarks. `ranks` are the places of the rows that were found and are right,
 * counted from 0 and in order; `positives` is how many there are to find.
 */
export function averagePrecision(ranks: ArrayLike<number>, positives: number): number {
  let area = 0;
  for (let found = 0; found < ranks.length; found++) {
    const rank = ranks[found] as number;
    const before = rank === 0 ? 1 : found / rank;
    const after = (found + 1) / (rank + 1);
    area += (before + after) / (2 * positives);
  }
  return area;
}
