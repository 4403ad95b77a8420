import type { Pixels } from "@dino/ops";
import type { PatchGrid } from "./attention.ts";
import { type Color, palette } from "./color.ts";
import { assertPatches } from "./patch-map.ts";
import { assertPixels } from "./pixels.ts";

/**
 * `picture` with `layer` over it, both from the upper left corner: `opacity` of the layer, the
 * rest of the picture. Where the layer does not reach, the picture stays as it is.
 */
export function overlay(
  picture: Pixels,
  layer: Pixels,
  { opacity = 0.5 }: { readonly opacity?: number } = {},
): Pixels {
  assertPixels("picture", picture);
  assertPixels("layer", layer);
  assertCovers(picture, layer);
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new RangeError(`opacity: expected [0, 1], got ${opacity}`);
  }
  const data = picture.data.slice();
  for (let y = 0; y < layer.height; y++) {
    for (let x = 0; x < 3 * layer.width; x++) {
      const at = 3 * picture.width * y + x;
      const over = layer.data[3 * layer.width * y + x] as number;
      data[at] = Math.round((data[at] as number) * (1 - opacity) + over * opacity);
    }
  }
  return { width: picture.width, height: picture.height, data };
}

export interface MaskOverlayOptions extends PatchGrid {
  readonly color?: Color;
  readonly opacity?: number;
}

/**
 * `picture` with the patches of a mask tinted and outlined, as the reference draws masks. A patch
 * is in the mask where its value is not 0.
 */
export function maskOverlay(
  picture: Pixels,
  mask: ArrayLike<number>,
  { rows, columns, patchSize, color = palette[0] as Color, opacity = 0.5 }: MaskOverlayOptions,
): Pixels {
  assertPixels("picture", picture);
  assertPatches("mask", mask, { rows, columns, patchSize });
  assertCovers(picture, { width: columns * patchSize, height: rows * patchSize });
  const patchOf = (pixel: number) => Math.floor(pixel / patchSize);
  const inside = (y: number, x: number) =>
    y >= 0 &&
    x >= 0 &&
    patchOf(y) < rows &&
    patchOf(x) < columns &&
    mask[patchOf(y) * columns + patchOf(x)] !== 0;
  const edge = (y: number, x: number) =>
    !(inside(y - 1, x) && inside(y + 1, x) && inside(y, x - 1) && inside(y, x + 1));

  const data = picture.data.slice();
  for (let y = 0; y < rows * patchSize; y++) {
    for (let x = 0; x < columns * patchSize; x++) {
      if (!inside(y, x)) continue;
      const share = edge(y, x) ? 1 : opacity;
      for (const channel of [0, 1, 2] as const) {
        const at = 3 * (picture.width * y + x) + channel;
        data[at] = Math.round((data[at] as number) * (1 - share) + color[channel] * share);
      }
    }
  }
  return { width: picture.width, height: picture.height, data };
}

/** Throws a `RangeError` unless the picture is at least as large as what goes over it. */
export function assertCovers(
  picture: { readonly width: number; readonly height: number },
  over: { readonly width: number; readonly height: number },
): void {
  if (over.width <= picture.width && over.height <= picture.height) return;
  throw new RangeError(
    `picture: expected at least ${over.width} x ${over.height}, got ${picture.width} x ${picture.height}`,
  );
}
