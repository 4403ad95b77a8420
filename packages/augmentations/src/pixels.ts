import type { Pixels } from "@dino/ops";

/** A rectangle of a picture, in whole pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Throws unless `pixels` has whole sizes above 0 and three bytes for each pixel. */
export function assertPixels(pixels: Pixels): void {
  assertSize("width", pixels.width);
  assertSize("height", pixels.height);
  const length = 3 * pixels.width * pixels.height;
  if (pixels.data.length !== length) {
    throw new RangeError(
      `data: expected ${length} bytes for ${pixels.width} x ${pixels.height} pixels, got ${pixels.data.length}`,
    );
  }
}

/** Throws unless `value` is an integer above 0. */
export function assertSize(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${name}: expected an integer of 1 or more, got ${value}`);
  }
}

/** Throws unless `value` is a finite number within `[low, high]`. */
export function assertWithin(name: string, value: number, low: number, high: number): void {
  if (!(Number.isFinite(value) && value >= low && value <= high)) {
    const range = high === Number.POSITIVE_INFINITY ? `of ${low} or more` : `in [${low}, ${high}]`;
    throw new RangeError(`${name}: expected a number ${range}, got ${value}`);
  }
}

/** Throws unless `box` is a rectangle of whole pixels within the picture. */
export function assertBox(
  box: Box,
  picture: { readonly width: number; readonly height: number },
): void {
  const { top, left, height, width } = box;
  const whole = [top, left, height, width].every(Number.isSafeInteger);
  const inside =
    top >= 0 &&
    left >= 0 &&
    height >= 1 &&
    width >= 1 &&
    top + height <= picture.height &&
    left + width <= picture.width;
  if (!whole || !inside) {
    throw new RangeError(
      `crop: expected a box within ${picture.width} x ${picture.height} pixels, got ${width} x ${height} at left ${left}, top ${top}`,
    );
  }
}

/** `pixels` after `change` has worked on a copy of its bytes. */
export function changed(pixels: Pixels, change: (data: Uint8Array) => void): Pixels {
  assertPixels(pixels);
  const data = pixels.data.slice();
  change(data);
  return { width: pixels.width, height: pixels.height, data };
}

/**
 * The same bytes, written through a clamped array: the engine then limits an integer to 0..255
 * faster than any comparison can.
 */
export function clamped(data: Uint8Array): Uint8ClampedArray {
  return new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);
}
