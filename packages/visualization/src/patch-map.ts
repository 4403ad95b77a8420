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

/**
 * A map stretched so that `range`, by default its lowest and highest value, becomes [0, 1]; one
 * that is the same everywhere becomes 0.
 */
export function normalize(
  map: ArrayLike<number>,
  range: readonly [low: number, high: number] = extremes([map]),
): Float32Array {
  const [low, high] = range;
  const width = high - low || 1;
  return Float32Array.from(map, (value) => (value - low) / width);
}

/** The lowest and the highest value of all maps. */
export function extremes(maps: readonly ArrayLike<number>[]): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const map of maps) {
    for (let i = 0; i < map.length; i++) {
      low = Math.min(low, map[i] as number);
      high = Math.max(high, map[i] as number);
    }
  }
  return [low, high];
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
