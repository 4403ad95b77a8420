import { ShapeError } from "@dino/ops";

/** The object that each pixel belongs to: 0 is none, the background. */
export interface LabelMap {
  readonly width: number;
  readonly height: number;
  /** Row by row: `height * width` numbers. */
  readonly data: Uint8Array;
}

/** Pixels of which the people who drew them could not tell. */
export const voidLabel = 255;

/** Fails unless the map has a number for each of its pixels. */
export function assertLabelMap(name: string, { width, height, data }: LabelMap): void {
  if (width >= 1 && height >= 1 && data.length === width * height) return;
  throw new ShapeError(
    `${name}: expected ${width} x ${height} = ${width * height} labels, got ${data.length}`,
  );
}

/** Fails unless two maps are of one size. */
export function assertSameSize(name: string, a: LabelMap, other: string, b: LabelMap): void {
  assertLabelMap(name, a);
  assertLabelMap(other, b);
  if (a.width === b.width && a.height === b.height) return;
  throw new ShapeError(
    `${name}: expected ${b.width} x ${b.height} pixels as in ${other}, got ${a.width} x ${a.height}`,
  );
}

/** The map at another size: the nearest pixel's label, as Pillow's `resize` with NEAREST finds it. */
export function resizeLabels(
  labels: LabelMap,
  { width, height }: { readonly width: number; readonly height: number },
): LabelMap {
  assertLabelMap("labels", labels);
  const across = nearestPixels(labels.width, width);
  const down = nearestPixels(labels.height, height);
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = (down[y] as number) * labels.width;
    for (let x = 0; x < width; x++) {
      data[y * width + x] = labels.data[row + (across[x] as number)] as number;
    }
  }
  return { width, height, data };
}

function nearestPixels(from: number, to: number): Int32Array {
  const step = from / to;
  const pixels = new Int32Array(to);
  // Added up rather than multiplied, as Pillow does: the sums round otherwise.
  let at = step * 0.5;
  for (let i = 0; i < to; i++) {
    pixels[i] = Math.min(Math.floor(at), from - 1);
    at += step;
  }
  return pixels;
}
