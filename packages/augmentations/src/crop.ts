import type { Pixels } from "@dino/ops";
import { assertBox, assertPixels, assertSize, type Box, changed } from "./pixels.ts";
import { copyBox } from "./resize.ts";
import { roundHalfEven } from "./round.ts";

/** The part of the picture inside `box`. */
export function crop(pixels: Pixels, box: Box): Pixels {
  assertPixels(pixels);
  assertBox(box, pixels);
  const data = new Uint8Array(3 * box.width * box.height);
  copyBox(pixels, box, data);
  return { width: box.width, height: box.height, data };
}

/** The square of `size` pixels in the middle, where torchvision's `CenterCrop` finds it. */
export function centerCrop(pixels: Pixels, size: number): Pixels {
  assertSize("size", size);
  if (size > Math.min(pixels.width, pixels.height)) {
    throw new RangeError(
      `size: expected at most the shorter side of ${pixels.width} x ${pixels.height} pixels, got ${size}`,
    );
  }
  return crop(pixels, {
    top: roundHalfEven((pixels.height - size) / 2),
    left: roundHalfEven((pixels.width - size) / 2),
    height: size,
    width: size,
  });
}

/** The picture's mirror image: left is right. */
export function flip(pixels: Pixels): Pixels {
  return changed(pixels, (data) => flipRows(data, pixels.width));
}

/** Mirrors rows of `width` pixels in place. */
export function flipRows(data: Uint8Array, width: number): void {
  for (let row = 0; row < data.length; row += 3 * width) {
    for (let left = row, right = row + 3 * (width - 1); left < right; left += 3, right -= 3) {
      for (let channel = 0; channel < 3; channel++) {
        const byte = data[left + channel] as number;
        data[left + channel] = data[right + channel] as number;
        data[right + channel] = byte;
      }
    }
  }
}
