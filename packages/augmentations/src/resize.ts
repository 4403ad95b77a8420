import type { Pixels } from "@dino/ops";
import { type Coefficients, coefficients, fractionBits } from "./coefficients.ts";
import { type Filter, filters } from "./filter.ts";
import { assertPixels, assertSize, type Box, clamped } from "./pixels.ts";
import { resizeByKernel } from "./resize-kernel.ts";
import { scratch } from "./scratch.ts";

export interface ResizeOptions {
  readonly width: number;
  readonly height: number;
  readonly filter?: Filter;
}

/** The picture at another size, antialiased: Pillow's `Image.resize`, to the byte. */
export function resize(
  pixels: Pixels,
  { width, height, filter = "bicubic" }: ResizeOptions,
): Pixels {
  assertPixels(pixels);
  assertSize("width", width);
  assertSize("height", height);
  if (!Object.hasOwn(filters, filter)) {
    throw new RangeError(
      `filter: expected one of ${Object.keys(filters).join(", ")}, got ${filter}`,
    );
  }
  const data = new Uint8Array(3 * width * height);
  const whole = { top: 0, left: 0, height: pixels.height, width: pixels.width };
  resizeBox(pixels, whole, { width, height, filter }, data);
  return { width, height, data };
}

/** How far a box's pixels go, which may be less than they are: the last ones then count in part. */
export interface Extent {
  readonly width: number;
  readonly height: number;
}

/**
 * Writes `box` of `pixels`, resized, to `out`. The box is cut out first: the filter sees nothing
 * beyond it. Rows before columns, with a rounding to bytes between, and an axis that keeps its
 * length is left alone.
 */
export function resizeBox(
  pixels: Pixels,
  box: Box,
  options: Required<ResizeOptions>,
  out: Uint8Array,
  extent: Extent = box,
): void {
  if (resizeByKernel(pixels, box, options, out, extent)) return;
  resizePlainly(pixels, box, options, out, extent);
}

/** `resizeBox` without kernels: the same bytes. */
export function resizePlainly(
  pixels: Pixels,
  box: Box,
  { width, height, filter }: Required<ResizeOptions>,
  out: Uint8Array,
  extent: Extent = box,
): void {
  const source = rowsOf(pixels, box);
  const bytes = 3 * width;
  const mix = (inputs: number, outputs: number, length: number) =>
    inputs === outputs && inputs === length ? null : coefficients(filter, inputs, outputs, length);
  const across = mix(box.width, width, extent.width);
  const down = mix(box.height, height, extent.height);
  if (across && down) {
    const between = narrowed(bytes * box.height);
    resizeRows(source, box.height, across, width, between);
    resizeColumns({ data: between, start: 0, stride: bytes }, down, box.height, height, bytes, out);
  } else if (across) {
    resizeRows(source, height, across, width, out);
  } else if (down) {
    resizeColumns(source, down, box.height, height, bytes, out);
  } else {
    copyRows(source, height, bytes, out);
  }
}

/** Copies `box` of `pixels` to `out`. */
export function copyBox(pixels: Pixels, box: Box, out: Uint8Array): void {
  copyRows(rowsOf(pixels, box), box.height, 3 * box.width, out);
}

/** Rows of bytes within a larger picture. */
interface Rows {
  readonly data: Uint8Array;
  /** Where the first row begins. */
  readonly start: number;
  /** From one row to the next. */
  readonly stride: number;
}

function rowsOf({ data, width }: Pixels, { top, left }: Box): Rows {
  return { data, start: 3 * (top * width + left), stride: 3 * width };
}

const narrowed = scratch();

const half = 1 << (fractionBits - 1);

function resizeRows(
  { data, start, stride }: Rows,
  rows: number,
  { taps, first, count, weights }: Coefficients,
  width: number,
  out: Uint8Array,
): void {
  const target = clamped(out);
  let to = 0;
  for (let y = 0; y < rows; y++) {
    const row = start + y * stride;
    for (let x = 0; x < width; x++) {
      let from = row + 3 * (first[x] as number);
      let tap = x * taps;
      const end = tap + (count[x] as number);
      let red = half;
      let green = half;
      let blue = half;
      for (; tap < end; tap++) {
        const weight = weights[tap] as number;
        red = (red + Math.imul(data[from] as number, weight)) | 0;
        green = (green + Math.imul(data[from + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(data[from + 2] as number, weight)) | 0;
        from += 3;
      }
      target[to] = red >> fractionBits;
      target[to + 1] = green >> fractionBits;
      target[to + 2] = blue >> fractionBits;
      to += 3;
    }
  }
}

function resizeColumns(
  { data, start, stride }: Rows,
  { taps, first, count, weights }: Coefficients,
  rows: number,
  height: number,
  bytes: number,
  out: Uint8Array,
): void {
  const target = clamped(out);
  const last = start + (rows - 1) * stride;
  const sums = new Int32Array(bytes);
  for (let y = 0; y < height; y++) {
    sums.fill(half);
    let row = start + (first[y] as number) * stride;
    const begin = y * taps;
    const end = begin + (count[y] as number);
    for (let tap = begin; tap < end; tap += 4) {
      addRows(sums, data, row, stride, last, weights, tap);
      row += 4 * stride;
    }
    const to = y * bytes;
    for (let x = 0; x < bytes; x++) target[to + x] = (sums[x] as number) >> fractionBits;
  }
}

/**
 * Adds four weighted rows to `sums`: in a loop along the row, which is what engines are fast at,
 * and four at once, since the sums are then loaded and stored a fourth as often. Weights beyond
 * those needed are 0; rows beyond the last are read as the last.
 */
function addRows(
  sums: Int32Array,
  data: Uint8Array,
  row: number,
  stride: number,
  last: number,
  weights: Int32Array,
  tap: number,
): void {
  const second = Math.min(row + stride, last);
  const third = Math.min(row + 2 * stride, last);
  const fourth = Math.min(row + 3 * stride, last);
  const wa = weights[tap] as number;
  const wb = weights[tap + 1] as number;
  const wc = weights[tap + 2] as number;
  const wd = weights[tap + 3] as number;
  for (let x = 0; x < sums.length; x++) {
    sums[x] =
      (sums[x] as number) +
      Math.imul(data[row + x] as number, wa) +
      Math.imul(data[second + x] as number, wb) +
      Math.imul(data[third + x] as number, wc) +
      Math.imul(data[fourth + x] as number, wd);
  }
}

function copyRows(
  { data, start, stride }: Rows,
  rows: number,
  bytes: number,
  out: Uint8Array,
): void {
  for (let y = 0; y < rows; y++) {
    const row = start + y * stride;
    out.set(data.subarray(row, row + bytes), y * bytes);
  }
}
