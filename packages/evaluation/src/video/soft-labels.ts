import { ShapeError } from "@dino/ops";
import { type LabelMap, resizeLabels, voidLabel } from "./label-map.ts";

/** Patches of a frame: whole ones, row by row. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
}

/** How much each patch belongs to each object, the background first. */
export interface SoftLabels extends PatchGrid {
  /** Objects and the background. */
  readonly classes: number;
  /** `[classes, rows * columns]`. */
  readonly values: Float32Array;
}

/** What patches belong to by the pixel in their middle: 1 for that object, 0 for all others. */
export function patchLabels(labels: LabelMap, { rows, columns }: PatchGrid): SoftLabels {
  const { data } = resizeLabels(labels, { width: columns, height: rows });
  const objects = data.map((label) => (label === voidLabel ? 0 : label));
  const classes = 1 + objects.reduce((a, b) => Math.max(a, b), 0);
  const values = new Float32Array(classes * data.length);
  objects.forEach((label, patch) => {
    values[label * data.length + patch] = 1;
  });
  return { rows, columns, classes, values };
}

/**
 * The object that each pixel belongs to most: every class's values are enlarged bilinearly and
 * stretched to [0, 1], so that a small object is not lost to a large one, and the largest wins. Of
 * equals the first does.
 */
export function labelMap(labels: SoftLabels, patchSize: number): LabelMap {
  assertSoftLabels("labels", labels);
  const { rows, columns, classes, values } = labels;
  const [width, height] = [columns * patchSize, rows * patchSize];
  const data = new Uint8Array(width * height);
  const best = new Float32Array(width * height);
  for (let label = 0; label < classes; label++) {
    const own = values.subarray(label * rows * columns, (label + 1) * rows * columns);
    const pixels = stretched(enlarged(own, { rows, columns }, patchSize));
    for (let at = 0; at < pixels.length; at++) {
      const value = pixels[at] as number;
      if (label > 0 && !(value > (best[at] as number))) continue;
      best[at] = value;
      data[at] = label;
    }
  }
  return { width, height, data };
}

/** Fails unless there is a value for every class and patch. */
export function assertSoftLabels(
  name: string,
  { rows, columns, classes, values }: SoftLabels,
): void {
  if (values.length === classes * rows * columns && values.length > 0) return;
  throw new ShapeError(
    `${name}: expected ${classes} classes of ${rows} x ${columns} patches, got ${values.length} values`,
  );
}

/** To [0, 1]; a class that is nowhere stays as it is. */
function stretched(pixels: Float32Array): Float32Array {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of pixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > 0)) return pixels;
  const range = Math.fround(high - low);
  return pixels.map((value) => Math.fround(value - low) / range);
}

/** Bilinear, as PyTorch's `interpolate` without aligned corners. */
function enlarged(
  values: Float32Array,
  { rows, columns }: PatchGrid,
  patchSize: number,
): Float32Array {
  const down = taps(rows, patchSize);
  const across = taps(columns, patchSize);
  const width = columns * patchSize;
  const pixels = new Float32Array(rows * patchSize * width);
  down.forEach((y, row) => {
    const [top, bottom] = [y.first * columns, y.second * columns];
    across.forEach((x, column) => {
      const above = mixed(values[top + x.first], values[top + x.second], x.share);
      const below = mixed(values[bottom + x.first], values[bottom + x.second], x.share);
      pixels[row * width + column] = mixed(above, below, y.share);
    });
  });
  return pixels;
}

interface Tap {
  readonly first: number;
  readonly second: number;
  /** Of the second. */
  readonly share: number;
}

function taps(patches: number, patchSize: number): readonly Tap[] {
  return Array.from({ length: patches * patchSize }, (_, pixel) => {
    const source = Math.max((pixel + 0.5) / patchSize - 0.5, 0);
    const first = Math.floor(source);
    return { first, second: Math.min(first + 1, patches - 1), share: source - first };
  });
}

const mixed = (a: number | undefined, b: number | undefined, share: number): number =>
  (1 - share) * (a as number) + share * (b as number);
