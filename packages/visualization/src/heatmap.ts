import type { Pixels } from "@dino/ops";
import type { PatchGrid } from "./attention.ts";
import { type ColorMap, viridis } from "./color-map.ts";
import { assertPatches, normalize } from "./patch-map.ts";
import { patchPicture } from "./patch-picture.ts";

export interface HeatmapOptions extends PatchGrid {
  readonly colors?: ColorMap;
  /** The values of the first and of the last colour; the map's lowest and highest when absent. */
  readonly range?: readonly [low: number, high: number];
}

/**
 * A map of patches as a picture of `rows * patchSize` by `columns * patchSize` pixels: its lowest
 * value has the first colour, its highest the last, unless a `range` that several maps share says
 * otherwise. `heatmap(map, { ...attention, colors: inferno })` takes the grid from the attention.
 */
export function heatmap(
  map: ArrayLike<number>,
  { rows, columns, patchSize, colors = viridis, range }: HeatmapOptions,
): Pixels {
  assertPatches("map", map, { rows, columns, patchSize });
  return patchPicture({ rows, columns, patchSize }, Array.from(normalize(map, range), colors));
}
