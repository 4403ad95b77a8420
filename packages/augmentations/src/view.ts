import type { Pixels } from "@dino/ops";
import { brighten, contrastBytes, saturate } from "./blend.ts";
import { blurBytes } from "./blur.ts";
import { flipRows } from "./crop.ts";
import type { Filter } from "./filter.ts";
import { turnHue } from "./hue.ts";
import { assertBox, assertPixels, assertSize, type Box } from "./pixels.ts";
import { resizeBox } from "./resize.ts";
import { greyBytes, solarizeBytes } from "./tone.ts";

/** One crop of a picture, and what is done to it, in this order. Plain data: it may be posted to a worker. */
export interface View {
  /** Side of the crop that is made, in pixels. */
  readonly size: number;
  /** The part of the picture that is resized to it. */
  readonly crop: Box;
  /** What it is resized by; bicubic when absent. */
  readonly filter?: Filter;
  readonly flip: boolean;
  readonly jitter: Jitter | null;
  readonly grey: boolean;
  /** Radius of the Gaussian blur, in pixels of the crop. */
  readonly blur: number | null;
  readonly solarize: boolean;
}

/** Colour changes, and the order in which they follow each other. */
export interface Jitter {
  readonly order: readonly JitterStep[];
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  readonly hue: number;
}

export type JitterStep = "brightness" | "contrast" | "saturation" | "hue";

/** The crop of `picture` that `view` describes: `view.size` pixels square. */
export function applyView(picture: Pixels, view: View): Pixels {
  const data = new Uint8Array(3 * view.size * view.size);
  writeView(picture, view, data);
  return { width: view.size, height: view.size, data };
}

/** Writes the crop that `view` describes to `out`, RGB bytes: `[size, size, 3]`. */
export function writeView(picture: Pixels, view: View, out: Uint8Array): void {
  const { size, filter = "bicubic" } = view;
  assertPixels(picture);
  assertSize("size", size);
  assertBox(view.crop, picture);
  if (out.length !== 3 * size * size) {
    throw new RangeError(
      `out: expected ${3 * size * size} bytes for a crop of ${size} pixels, got ${out.length}`,
    );
  }
  resizeBox(picture, view.crop, { width: size, height: size, filter }, out);
  if (view.flip) flipRows(out, size);
  if (view.jitter) for (const step of view.jitter.order) steps[step](out, view.jitter[step]);
  if (view.grey) greyBytes(out);
  if (view.blur !== null) blurBytes(out, { width: size, height: size }, view.blur);
  if (view.solarize) solarizeBytes(out);
}

const steps: Readonly<Record<JitterStep, (data: Uint8Array, amount: number) => void>> = {
  brightness: brighten,
  contrast: contrastBytes,
  saturation: saturate,
  hue: turnHue,
};
