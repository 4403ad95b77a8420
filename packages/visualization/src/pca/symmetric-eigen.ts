/** A square matrix, row by row. */
export type Matrix = readonly Float64Array[];

export interface Eigen {
  /** Largest first. */
  readonly values: readonly number[];
  /** The eigenvector of each value, of length 1. */
  readonly vectors: readonly Float64Array[];
}

/** The eigenvectors of a small symmetric matrix, by Jacobi's rotations. */
export function symmetricEigen(matrix: Matrix): Eigen {
  const size = matrix.length;
  const a = matrix.map((row) => row.slice());
  const vectors = a.map((_, i) => Float64Array.from(a, (_, j) => (i === j ? 1 : 0)));
  const at = (i: number, j: number) => a[i]?.[j] as number;
  const norm = Math.hypot(...a.map((row) => Math.hypot(...row)));

  for (let sweep = 0; sweep < 50; sweep++) {
    let beside = 0;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        beside = Math.max(beside, Math.abs(at(p, q)));
        if (at(p, q) === 0) continue;
        const theta = (at(q, q) - at(p, p)) / (2 * at(p, q));
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        for (const row of a) turn(row, p, q, c, t * c); // columns p and q
        turnRows(a, p, q, c, t * c);
        turnRows(vectors, p, q, c, t * c);
      }
    }
    if (beside <= 1e-15 * norm) break;
  }
  const order = a.map((_, i) => i).sort((i, j) => at(j, j) - at(i, i));
  return {
    values: order.map((i) => at(i, i)),
    vectors: order.map((i) => vectors[i] as Float64Array),
  };
}

function turn(row: Float64Array, p: number, q: number, c: number, s: number): void {
  const [x, y] = [row[p] as number, row[q] as number];
  row[p] = c * x - s * y;
  row[q] = s * x + c * y;
}

function turnRows(rows: Matrix, p: number, q: number, c: number, s: number): void {
  const [first, second] = [rows[p] as Float64Array, rows[q] as Float64Array];
  for (let i = 0; i < first.length; i++) {
    const [x, y] = [first[i] as number, second[i] as number];
    first[i] = c * x - s * y;
    second[i] = s * x + c * y;
  }
}
