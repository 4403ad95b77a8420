import type { PatchGrid } from "./attention.ts";
import { assertTokens, type PatchTokens } from "./patch-tokens.ts";

/** The patch, counted row by row from 0, that covers a pixel. A `RangeError` where none does. */
export function patchAt(
  { rows, columns, patchSize }: PatchGrid,
  { x, y }: { readonly x: number; readonly y: number },
): number {
  const [row, column] = [Math.floor(y / patchSize), Math.floor(x / patchSize)];
  if (row >= 0 && row < rows && column >= 0 && column < columns) return row * columns + column;
  throw new RangeError(
    `point: expected a pixel within ${columns * patchSize} x ${rows * patchSize}, got ${x}, ${y}`,
  );
}

/**
 * How alike each patch of a picture is to one patch of it or of another picture: the cosine of
 * their tokens, from -1 to 1, row by row.
 */
export function patchSimilarity(
  tokens: PatchTokens,
  patch: number,
  among: PatchTokens = tokens,
): Float32Array {
  assertTokens("tokens", tokens);
  assertTokens("among", among, tokens.dim);
  const { rows, columns, dim, values } = tokens;
  if (!(Number.isInteger(patch) && patch >= 0 && patch < rows * columns)) {
    throw new RangeError(
      `patch: expected an integer from 0 to ${rows * columns - 1}, got ${patch}`,
    );
  }
  const asked = values.subarray(patch * dim, (patch + 1) * dim);
  return Float32Array.from({ length: among.rows * among.columns }, (_, i) =>
    cosine(asked, among.values.subarray(i * dim, (i + 1) * dim)),
  );
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return product / Math.max(Math.sqrt(ofA * ofB), 1e-12);
}
