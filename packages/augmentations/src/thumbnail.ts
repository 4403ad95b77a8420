import type { Pixels } from "@dino/ops";
import type { Filter } from "./filter.ts";
import { assertPixels, assertSize } from "./pixels.ts";
import { type Extent, resizeBox } from "./resize.ts";

export interface ThumbnailOptions {
  readonly filter?: Filter;
}

/**
 * The picture with its longer side brought down to `side`, keeping the proportions; one that is no
 * larger stays as it is. Pillow's `Image.thumbnail`, to the byte: what shrinks to less than a
 * quarter is averaged by whole pixels first, and by the filter then.
 */
export function thumbnail(
  pixels: Pixels,
  side: number,
  { filter = "lanczos" }: ThumbnailOptions = {},
): Pixels {
  assertPixels(pixels);
  assertSize("side", side);
  const { width, height } = thumbnailSize(pixels, side);
  if (width === pixels.width && height === pixels.height) return pixels;
  const across = wholeFactor(pixels.width, width);
  const down = wholeFactor(pixels.height, height);
  const small = across > 1 || down > 1 ? averaged(pixels, across, down) : pixels;
  const box = { top: 0, left: 0, height: small.height, width: small.width };
  // Cells at the edge may be averages of fewer pixels, and then reach less far.
  const extent: Extent = {
    width: Math.fround(pixels.width / across),
    height: Math.fround(pixels.height / down),
  };
  const data = new Uint8Array(3 * width * height);
  resizeBox(small, box, { width, height, filter }, data, extent);
  return { width, height, data };
}

/** The size of a thumbnail: of the two whole lengths the one whose proportions are the nearer. */
function thumbnailSize({ width, height }: Extent, side: number): Extent {
  if (width <= side && height <= side) return { width, height };
  const aspect = width / height;
  if (aspect <= 1) {
    const off = (length: number) => Math.abs(aspect - length / side);
    return { width: nearer(side * aspect, off), height: side };
  }
  const off = (length: number) => (length === 0 ? 0 : Math.abs(aspect - side / length));
  return { width: side, height: nearer(side / aspect, off) };
}

function nearer(length: number, off: (length: number) => number): number {
  const [below, above] = [Math.floor(length), Math.ceil(length)];
  return Math.max(off(above) < off(below) ? above : below, 1);
}

/** By how many pixels an axis is averaged: so that it is still twice as long as it should be. */
const wholeFactor = (from: number, to: number): number => Math.trunc(from / to / 2) || 1;

/** The means of cells of `across` by `down` pixels, fewer at the right and lower edge. */
function averaged({ width, height, data }: Pixels, across: number, down: number): Pixels {
  const columns = Math.ceil(width / across);
  const rows = Math.ceil(height / down);
  const means = new Uint8Array(3 * columns * rows);
  const sums = new Uint32Array(3 * columns);
  for (let row = 0; row < rows; row++) {
    const end = Math.min((row + 1) * down, height);
    sums.fill(0);
    for (let y = row * down; y < end; y++) {
      for (let x = 0; x < width; x++) {
        const from = 3 * (y * width + x);
        const to = 3 * Math.trunc(x / across);
        for (let channel = 0; channel < 3; channel++) {
          sums[to + channel] = (sums[to + channel] as number) + (data[from + channel] as number);
        }
      }
    }
    for (let column = 0; column < columns; column++) {
      const cell = (end - row * down) * (Math.min((column + 1) * across, width) - column * across);
      // Pillow's division: by a factor of 24 bits that is rounded down.
      const factor = Math.trunc(Math.fround(2 ** 24 / cell));
      for (let channel = 0; channel < 3; channel++) {
        const sum = (sums[3 * column + channel] as number) + (cell >> 1);
        means[3 * (row * columns + column) + channel] = Math.trunc((sum * factor) / 2 ** 24);
      }
    }
  }
  return { width: columns, height: rows, data: means };
}
