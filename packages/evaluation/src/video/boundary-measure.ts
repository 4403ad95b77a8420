import type { Mask } from "./region-similarity.ts";

export interface BoundaryMeasureOptions {
  /** How far boundaries may lie apart, as a share of the picture's diagonal; from 1 on, in pixels. */
  readonly tolerance?: number;
}

/**
 * The boundary measure F of two masks, from 0 to 1: the harmonic mean of how much of either's
 * boundary has the other's near it (Martin et al. 2004, as in the DAVIS benchmark).
 */
export function boundaryMeasure(
  found: Mask,
  truth: Mask,
  { tolerance = 0.008 }: BoundaryMeasureOptions = {},
): number {
  const { width, height } = truth;
  const radius = tolerance >= 1 ? tolerance : Math.ceil(tolerance * Math.hypot(width, height));
  const ours = boundary(found);
  const theirs = boundary(truth);
  if (ours.length === 0 || theirs.length === 0) return ours.length === theirs.length ? 1 : 0;
  const precision = shareWithin(ours, grown(theirs, truth, radius));
  const recall = shareWithin(theirs, grown(ours, truth, radius));
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

/**
 * The pixels of a mask's boundary, by their places in it: those that differ from the one to the
 * right, the one below, or the one between these.
 */
function boundary({ width, height, data }: Mask): readonly number[] {
  const pixels: number[] = [];
  for (let y = 0; y < height; y++) {
    const below = y + 1 < height ? width : 0;
    for (let x = 0; x < width; x++) {
      const right = x + 1 < width ? 1 : 0;
      const at = y * width + x;
      const own = data[at];
      // Past the last row and column there is nothing to differ from.
      if (
        data[at + right] !== own ||
        data[at + below] !== own ||
        data[at + below + right] !== own
      ) {
        pixels.push(at);
      }
    }
  }
  return pixels;
}

/** Where a disk around some pixel of a boundary reaches. */
function grown(pixels: readonly number[], { width, height }: Mask, radius: number): Uint8Array {
  const reached = new Uint8Array(width * height);
  const halves: number[] = []; // of the disk's rows
  for (let dy = -Math.floor(radius); dy <= radius; dy++) {
    halves.push(Math.floor(Math.sqrt(radius * radius - dy * dy)));
  }
  const reach = Math.floor(radius);
  for (const at of pixels) {
    const [x, y] = [at % width, Math.floor(at / width)];
    halves.forEach((half, i) => {
      const row = y + i - reach;
      if (row < 0 || row >= height) return;
      reached.fill(
        1,
        row * width + Math.max(x - half, 0),
        row * width + Math.min(x + half + 1, width),
      );
    });
  }
  return reached;
}

function shareWithin(pixels: readonly number[], reached: Uint8Array): number {
  return pixels.reduce((sum, at) => sum + (reached[at] as number), 0) / pixels.length;
}
