import { type Features, unitRows } from "./features.ts";
import type { LongCall } from "./long-call.ts";
import { type SimilarityBlock, similarities } from "./similarities.ts";

/** The `k` nearest rows of every query, nearest first. */
export interface Neighbors {
  /** Cosine similarities, `[queries, k]`. */
  readonly similarities: Float32Array;
  /** Which rows they belong to, `[queries, k]`. */
  readonly indices: Int32Array;
}

export interface NearestOptions extends LongCall {
  readonly k: number;
  /** Whether row i is left out for query i: they are the same picture. */
  readonly excludeSelf?: boolean;
}

/**
 * Finds the rows of largest cosine similarity. Of equally similar rows, the ones that come first
 * are the nearer.
 */
export async function nearest(
  queries: Features,
  rows: Features,
  { k, excludeSelf = false, signal, onProgress }: NearestOptions,
): Promise<Neighbors> {
  const found: Neighbors = {
    similarities: new Float32Array(queries.count * k).fill(Number.NEGATIVE_INFINITY),
    indices: new Int32Array(queries.count * k).fill(-1),
  };
  const right = { unit: unitRows(rows), count: rows.count, dim: rows.dim };
  const left =
    queries === rows ? right : { unit: unitRows(queries), count: queries.count, dim: queries.dim };
  for await (const block of similarities(left, right, { signal, onProgress })) {
    for (let i = 0; i < block.queries; i++) merge(found, block, i, k, excludeSelf);
  }
  return found;
}

/** Merges what a block says about its query `i` into the nearest found so far. */
function merge(
  { similarities, indices }: Neighbors,
  { values, firstQuery, firstRow, rows }: SimilarityBlock,
  i: number,
  k: number,
  excludeSelf: boolean,
): void {
  const query = firstQuery + i;
  const start = query * k;
  const end = start + k;
  const self = excludeSelf ? query : -1;
  let furthest = similarities[end - 1] as number;
  for (let j = 0; j < rows; j++) {
    const similarity = values[i * rows + j] as number;
    if (!(similarity > furthest) || firstRow + j === self) continue;
    const at = placeOf(similarity, similarities, start, end);
    similarities.copyWithin(at + 1, at, end - 1);
    indices.copyWithin(at + 1, at, end - 1);
    similarities[at] = similarity;
    indices[at] = firstRow + j;
    furthest = similarities[end - 1] as number;
  }
}

/** The first place in `[start, end)` that holds less than `similarity`: behind its equals. */
function placeOf(similarity: number, sorted: Float32Array, start: number, end: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < similarity) high = middle;
    else low = middle + 1;
  }
  return low;
}
