import type { Pixels } from "@dino/ops";
import type { Color } from "../color.ts";
import { extremes, normalize } from "../patch-map.ts";
import { patchPicture } from "../patch-picture.ts";
import type { PatchPca } from "./patch-pca.ts";

export interface PcaColorsOptions {
  /** The colour of patches that are not of the foreground. */
  readonly background?: Color;
}

/**
 * The components as red, green and blue, each stretched to [0, 255] over the foreground of all
 * pictures: parts that a network takes for the same have the same colour in every picture. One
 * picture each, of `columns * patchSize` by `rows * patchSize` pixels.
 */
export function pcaColors(
  { pictures }: PatchPca,
  { background = [0, 0, 0] }: PcaColorsOptions = {},
): Pixels[] {
  const ranges = [0, 1, 2].map((component) =>
    extremes(
      pictures.map(({ maps, mask }) => maps[component]?.filter((_, i) => mask[i] === 1) ?? []),
    ),
  );
  return pictures.map(({ maps, mask, ...grid }) => {
    const channels = ranges.map((range, component) => normalize(maps[component] ?? [], range));
    const colors = Array.from(mask, (shown, patch): Color => {
      const [red, green, blue] = channels.map((map) => Math.round(255 * (map[patch] as number)));
      return shown ? [red as number, green as number, blue as number] : background;
    });
    return patchPicture(grid, colors);
  });
}
