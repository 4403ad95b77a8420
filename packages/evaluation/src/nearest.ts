import type { FeatureSource } from "./feature-source.ts";
import type { Features } from "./features.ts";
import type { LongCall } from "./long-call.ts";
import { type SimilarityBlock, similarities } from "./similarities.ts";
import { type UnitSource, unitSource } from "./unit-rows.ts";

/** The `k` nearest rows of every query, nearest first. */
export interface Neighbors {
  /** Cosine similarities, `[queries, k]`. */
  readonly similarities: Float32Array;
  /** Which rows they belong to, `[queries, k]`. */
  readonly indices: Int32Array;
}

/** The nearest rows of some of the queries. */
export interface NeighborBlock extends Neighbors {
  readonly firstQuery: number;
  readonly queries: number;
}

export interface NearestOptions extends LongCall {
  readonly k: number;
  /** Whether row i is left out for query i: they are the same picture. */
  readonly excludeSelf?: boolean;
  /** What errors call the queries and the rows. */
  readonly names?: readonly [queries: string, rows: string];
  /** Bytes of queries, and of what is known of them, that are in memory at once. Default 256 MiB. */
  readonly queryBytes?: number;
}

/**
 * Finds the rows of largest cosine similarity. Of equally similar rows, the ones that come first
 * are the nearer.
 */
export async function nearest(
  queries: Features | FeatureSource,
  rows: Features | FeatureSource,
  options: NearestOptions,
): Promise<Neighbors> {
  const { k } = options;
  const similarities = new Float32Array(queries.count * k);
  const indices = new Int32Array(queries.count * k);
  for await (const block of nearestBlocks(queries, rows, options)) {
    similarities.set(block.similarities, block.firstQuery * k);
    indices.set(block.indices, block.firstQuery * k);
  }
  return { similarities, indices };
}

/**
 * The same for some queries after others: never are all of them or all rows in memory, nor their
 * neighbours. The rows are read once for each block of queries.
 */
export async function* nearestBlocks(
  queries: Features | FeatureSource,
  rows: Features | FeatureSource,
  {
    k,
    excludeSelf = false,
    names = ["queries", "rows"],
    queryBytes = 2 ** 28,
    signal,
    onProgress,
  }: NearestOptions,
): AsyncGenerator<NeighborBlock, void> {
  const left = unitSource(names[0], queries);
  const right = unitSource(names[1], rows);
  const step = Math.max(1, Math.floor(queryBytes / (4 * left.dim + 8 * k)));
  const total = left.count * right.count;
  for (let firstQuery = 0; firstQuery < left.count; firstQuery += step) {
    const count = Math.min(step, left.count - firstQuery);
    const before = firstQuery * right.count;
    const self = excludeSelf ? firstQuery : undefined;
    const found = await nearestOf(
      left,
      right,
      { firstQuery, count, k, self },
      {
        signal,
        onProgress: ({ done }) => onProgress?.({ done: before + done, total }),
      },
    );
    yield { ...found, firstQuery, queries: count };
  }
}

interface QueryBlock {
  readonly firstQuery: number;
  readonly count: number;
  readonly k: number;
  /** The row that the first query must not find; the next one's comes after it. */
  readonly self: number | undefined;
}

async function nearestOf(
  queries: UnitSource,
  rows: UnitSource,
  { firstQuery, count, k, self }: QueryBlock,
  longCall: LongCall,
): Promise<Neighbors> {
  const found: Neighbors = {
    similarities: new Float32Array(count * k).fill(Number.NEGATIVE_INFINITY),
    indices: new Int32Array(count * k).fill(-1),
  };
  const some = await queries.read(firstQuery, count);
  for await (const block of similarities(some, rows, longCall)) {
    for (let i = 0; i < block.queries; i++) {
      const query = block.firstQuery + i;
      merge(found, block, i, k, self === undefined ? -1 : self + query);
    }
  }
  return found;
}

/** Merges what a block says about its query `i` into the nearest found so far; never row `self`. */
function merge(
  { similarities, indices }: Neighbors,
  { values, firstQuery, firstRow, rows }: SimilarityBlock,
  i: number,
  k: number,
  self: number,
): void {
  const start = (firstQuery + i) * k;
  const end = start + k;
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
