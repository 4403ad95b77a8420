import type { Pixels } from "@dino/ops";
import { centerCrop } from "./crop.ts";
import type { Filter } from "./filter.ts";
import { assertPixels, assertSize } from "./pixels.ts";
import { resize } from "./resize.ts";

/** The picture with its shorter side resized to `side`, as torchvision's `Resize` rounds the longer one. */
export function resizeShortSide(pixels: Pixels, side: number, filter: Filter = "bicubic"): Pixels {
  assertPixels(pixels);
  assertSize("side", side);
  const { width, height } = pixels;
  const longer = Math.trunc((side * Math.max(width, height)) / Math.min(width, height));
  return width <= height
    ? resize(pixels, { width: side, height: longer, filter })
    : resize(pixels, { width: longer, height: side, filter });
}

/**
 * The view in which a picture is evaluated: its shorter side resized to 256 / 224 of `size`, and
 * the square of `size` pixels in the middle of that.
 */
export function evaluationView(pixels: Pixels, size: number): Pixels {
  assertSize("size", size);
  return centerCrop(resizeShortSide(pixels, Math.round((size * 256) / 224)), size);
}
