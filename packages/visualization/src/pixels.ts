import type { Pixels } from "@dino/ops";
import type { Color } from "./color.ts";

/** Throws a `RangeError` that names the picture unless it has as many bytes as its size asks for. */
export function assertPixels(name: string, { width, height, data }: Pixels): void {
  const whole = [width, height].every((size) => Number.isInteger(size) && size > 0);
  if (!whole) {
    throw new RangeError(
      `${name}: expected a width and height of 1 and more, got ${width} x ${height}`,
    );
  }
  if (data.length !== 3 * width * height) {
    throw new RangeError(
      `${name}: expected ${3 * width * height} bytes for RGB of ${width} x ${height}, got ${data.length}`,
    );
  }
}

/** A picture of one colour. */
export function blank(width: number, height: number, [red, green, blue]: Color): Pixels {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < data.length; i += 3) {
    data[i] = red;
    data[i + 1] = green;
    data[i + 2] = blue;
  }
  return { width, height, data };
}
