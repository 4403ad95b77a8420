import type { Pixels } from "@dino/ops";
import { assertPixels, assertSize } from "./pixels.ts";
import { roundHalfEven } from "./round.ts";

/**
 * The picture at another size without antialiasing: each pixel is mixed from the four around its
 * place, whatever lies between them. OpenCV's `resize`, to the byte.
 */
export function sampleBilinear(
  pixels: Pixels,
  { width, height }: { readonly width: number; readonly height: number },
): Pixels {
  assertPixels(pixels);
  assertSize("width", width);
  assertSize("height", height);
  const across = tapsOf(pixels.width, width).map((tap) => inside(tap, pixels.width));
  const down = tapsOf(pixels.height, height);
  const data = new Uint8Array(3 * width * height);
  const line = sampledRows(pixels, across);
  let to = 0;
  for (const { first, weights } of down) {
    const last = pixels.height - 1;
    const above = line(Math.min(Math.max(first, 0), last));
    const below = line(Math.min(Math.max(first + 1, 0), last));
    for (let x = 0; x < 3 * width; x++) {
      const upper = (weights[0] * ((above[x] as number) >> 4)) >> 16;
      const lower = (weights[1] * ((below[x] as number) >> 4)) >> 16;
      data[to++] = (upper + lower + 2) >> 2;
    }
  }
  return { width, height, data };
}

/** A pixel and the one behind it, with what each counts for, in 2048ths. */
interface Tap {
  readonly first: number;
  readonly weights: readonly [number, number];
}

const whole = 2048;

function tapsOf(from: number, to: number): readonly Tap[] {
  const step = 1 / (to / from); // not from / to, which rounds otherwise
  return Array.from({ length: to }, (_, i) => {
    const place = Math.fround((i + 0.5) * step - 0.5);
    const first = Math.floor(place);
    const share = Math.fround(place - first);
    const weights = [
      roundHalfEven(Math.fround(whole * Math.fround(1 - share))),
      roundHalfEven(Math.fround(whole * share)),
    ] as const;
    return { first, weights };
  });
}

/** Along rows a place outside the picture becomes its edge; along columns both its pixels do. */
function inside({ first, weights }: Tap, length: number): Tap {
  if (first < 0) return { first: 0, weights: [whole, 0] };
  return first >= length - 1 ? { first: length - 1, weights: [whole, 0] } : { first, weights };
}

/** Makes rows sampled along their length, and keeps the last two: the next place needs them again. */
function sampledRows({ data, width }: Pixels, taps: readonly Tap[]): (row: number) => Int32Array {
  const kept = new Map<number, Int32Array>();
  return (row) => {
    const known = kept.get(row);
    if (known) return known;
    const line = new Int32Array(3 * taps.length);
    taps.forEach(({ first, weights }, x) => {
      const from = 3 * (row * width + first);
      const next = weights[1] === 0 ? from : from + 3;
      for (let channel = 0; channel < 3; channel++) {
        line[3 * x + channel] =
          weights[0] * (data[from + channel] as number) +
          weights[1] * (data[next + channel] as number);
      }
    });
    for (const old of kept.keys()) if (kept.size > 1) kept.delete(old);
    kept.set(row, line);
    return line;
  };
}
