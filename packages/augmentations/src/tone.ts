import type { Pixels } from "@dino/ops";
import { luma } from "./luma.ts";
import { assertWithin, changed } from "./pixels.ts";

/** The picture without colour: its grey level in all three channels. */
export function greyscale(pixels: Pixels): Pixels {
  return changed(pixels, greyBytes);
}

/** The picture with all bytes of `threshold` or more inverted. */
export function solarize(pixels: Pixels, threshold = 128): Pixels {
  assertWithin("threshold", threshold, 0, 256);
  return changed(pixels, (data) => solarizeBytes(data, threshold));
}

/** `greyscale` in place. */
export function greyBytes(data: Uint8Array): void {
  for (let i = 0; i < data.length; i += 3) {
    const grey = luma(data[i] as number, data[i + 1] as number, data[i + 2] as number);
    data[i] = grey;
    data[i + 1] = grey;
    data[i + 2] = grey;
  }
}

/** `solarize` in place. */
export function solarizeBytes(data: Uint8Array, threshold = 128): void {
  for (let i = 0; i < data.length; i++) {
    const byte = data[i] as number;
    if (byte >= threshold) data[i] = 255 - byte;
  }
}
