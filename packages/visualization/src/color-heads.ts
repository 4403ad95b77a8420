import type { Pixels } from "@dino/ops";
import type { AttentionMaps } from "./attention.ts";
import { type Color, palette, paletteColor } from "./color.ts";
import { massMask } from "./mass-mask.ts";
import { assertCovers } from "./overlay.ts";
import { assertPatches, normalize } from "./patch-map.ts";
import { assertPixels } from "./pixels.ts";

export interface ColorHeadsOptions {
  /** The share of each head's mass that is shown. */
  readonly keep?: number;
  /** One colour a head; the first again when they run out. */
  readonly colors?: readonly Color[];
}

/**
 * A picture under its heads' attention, each in a colour of its own: the paper's figure of several
 * heads. Each head is stretched to [0, 1]; where its value m belongs to the `keep` strongest of its
 * mass, the picture is mixed with the head's colour, `1 - 0.5 * sqrt(m)` of what was there, one
 * head after the other.
 */
export function colorHeads(
  picture: Pixels,
  { heads, rows, columns, patchSize, maps }: AttentionMaps,
  { keep = 0.6, colors = palette }: ColorHeadsOptions = {},
): Pixels {
  assertPixels("picture", picture);
  assertCovers(picture, { width: columns * patchSize, height: rows * patchSize });
  if (colors.length === 0) throw new RangeError("colors: expected one or more, got none");

  // All heads together are one linear map of a pixel: what stays of it, and what is added.
  const kept = new Float64Array(rows * columns).fill(1);
  const added = new Float64Array(3 * rows * columns);
  for (let head = 0; head < heads; head++) {
    const map = maps[head] as Float32Array;
    assertPatches(`maps[${head}]`, map, { rows, columns, patchSize });
    const strength = normalize(map);
    const mask = massMask(map, keep);
    const color = paletteColor(head, colors);
    for (let patch = 0; patch < map.length; patch++) {
      const share = mask[patch] ? 0.5 * Math.sqrt(strength[patch] as number) : 0;
      kept[patch] = (kept[patch] as number) * (1 - share);
      for (const channel of [0, 1, 2] as const) {
        const at = 3 * patch + channel;
        added[at] = (added[at] as number) * (1 - share) + color[channel] * share;
      }
    }
  }

  const data = picture.data.slice();
  for (let y = 0; y < rows * patchSize; y++) {
    for (let x = 0; x < columns * patchSize; x++) {
      const patch = Math.floor(y / patchSize) * columns + Math.floor(x / patchSize);
      for (let channel = 0; channel < 3; channel++) {
        const at = 3 * (picture.width * y + x) + channel;
        const stays = (data[at] as number) * (kept[patch] as number);
        data[at] = Math.round(stays + (added[3 * patch + channel] as number));
      }
    }
  }
  return { width: picture.width, height: picture.height, data };
}
