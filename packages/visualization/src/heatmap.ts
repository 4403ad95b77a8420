import type { Pixels } from "@dino/ops";
import type { PatchGrid } from "./attention.ts";
import { type ColorMap, viridis } from "./color-map.ts";
import { assertPatches, normalize } from "./patch-map.ts";

export interface HeatmapOptions extends PatchGrid {
  readonly colors?: ColorMap;
}

/**
 * A map of patches as a picture of `rows * patchSize` by `columns * patchSize` pixels: its lowest
 * value has the first colour, its highest the last. `heatmap(map, { ...attention, colors: inferno })`
 * takes the grid from the attention.
 */
export function heatmap(
  map: ArrayLike<number>,
  { rows, columns, patchSize, colors = viridis }: HeatmapOptions,
): Pixels {
  assertPatches("map", map, { rows, columns, patchSize });
  const patches = Array.from(normalize(map), colors);
  const width = columns * patchSize;
  const height = rows * patchSize;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const patch = Math.floor(y / patchSize) * columns + Math.floor(x / patchSize);
      data.set(patches[patch] as readonly number[], 3 * (y * width + x));
    }
  }
  return { width, height, data };
}
