import type { Pixels } from "@dino/ops";
import type { PatchGrid } from "./attention.ts";
import type { Color } from "./color.ts";

/** Patches as squares of one colour each: `columns * patchSize` by `rows * patchSize` pixels. */
export function patchPicture(
  { rows, columns, patchSize }: PatchGrid,
  colors: readonly Color[],
): Pixels {
  const width = columns * patchSize;
  const height = rows * patchSize;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const patch = Math.floor(y / patchSize) * columns + Math.floor(x / patchSize);
      data.set(colors[patch] as Color, 3 * (y * width + x));
    }
  }
  return { width, height, data };
}
