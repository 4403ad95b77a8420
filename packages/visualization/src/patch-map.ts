import type { PatchGrid } from "./attention.ts";

/**
 * A map of patches as one of pixels, `rows * patchSize` by `columns * patchSize`: each patch's
 * value stands `patchSize` by `patchSize` times (nearest neighbour).
 */
export function upsample(
  map: ArrayLike<number>,
  { rows, columns, patchSize }: PatchGrid,
): Float32Array {
  assertPatches("map", map, { rows, columns, patchSize });
  const width = columns * patchSize;
  return Float32Array.from({ length: rows * patchSize * width }, (_, pixel) => {
    const row = Math.floor(pixel / width / patchSize);
    const column = Math.floor((pixel % width) / patchSize);
    return map[row * columns + column] as number;
  });
}

/** A map stretched to [0, 1]; one that is the same everywhere becomes 0. */
export function normalize(map: ArrayLike<number>): Float32Array {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < map.length; i++) {
    low = Math.min(low, map[i] as number);
    high = Math.max(high, map[i] as number);
  }
  const range = high - low || 1;
  return Float32Array.from(map, (value) => (value - low) / range);
}

/** Throws a `RangeError` unless there is one value for each patch. */
export function assertPatches(
  name: string,
  map: ArrayLike<number>,
  { rows, columns, patchSize }: PatchGrid,
): void {
  if (map.length !== rows * columns) {
    throw new RangeError(
      `${name}: expected ${rows} x ${columns} = ${rows * columns} patches, got ${map.length}`,
    );
  }
  if (!(Number.isInteger(patchSize) && patchSize > 0)) {
    throw new RangeError(`patchSize: expected an integer of 1 and more, got ${patchSize}`);
  }
}
