import type { Pixels } from "@dino/ops";
import { blurByKernel } from "./blur-kernel.ts";
import { assertWithin, changed } from "./pixels.ts";
import { scratch } from "./scratch.ts";

/**
 * The picture blurred as Pillow's `GaussianBlur(radius)` does it, to the byte: not by a Gaussian
 * but by three box blurs along the rows and three along the columns, whose boxes have soft ends
 * (Gwosdek et al. 2011, "Theoretical foundations of Gaussian convolution by extended box
 * filtering"), rounded to bytes after each. `radius` is the standard deviation in pixels.
 */
export function gaussianBlur(pixels: Pixels, radius: number): Pixels {
  assertWithin("radius", radius, 0, maxBlurRadius);
  return changed(pixels, (data) => blurBytes(data, pixels, radius));
}

/** A safeguard: working memory grows with it. */
export const maxBlurRadius = 1000;

/** `gaussianBlur` in place. */
export function blurBytes(
  data: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  radius: number,
): void {
  if (radius === 0) return;
  const box = boxOf(radius);
  if (!blurByKernel(data, { width, height }, box)) blurPlainly(data, { width, height }, box);
}

/** Blurs by a box without kernels: the same bytes. */
export function blurPlainly(
  data: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  box: SoftBox,
): void {
  const row = 3 * width;
  for (let start = 0; start < data.length; start += row) {
    for (let channel = 0; channel < 3; channel++) {
      blurLine(data, { start: start + channel, stride: 3, length: width }, box);
    }
  }
  for (let start = 0; start < row; start++)
    blurLine(data, { start, stride: row, length: height }, box);
}

/** A box of `2 * radius + 1` pixels of weight `inner`, and one of weight `outer` at either end. */
export interface SoftBox {
  readonly radius: number;
  /** With 24 fractional bits. */
  readonly inner: number;
  readonly outer: number;
}

/** The box which, applied three times, has the standard deviation asked for. */
export function boxOf(deviation: number): SoftBox {
  const f = Math.fround; // Pillow computes this in float32, and a rounding decides bytes
  const sigma = f(deviation);
  const variance = f(f(sigma * sigma) / 3);
  const length = f(Math.sqrt(12 * variance + 1));
  const whole = Math.floor((length - 1) / 2);
  const above = f((whole + 1) * (whole + 1));
  const part = f(
    f(f(2 * whole + 1) * f(f(whole * (whole + 1)) - f(3 * variance))) / f(6 * f(variance - above)),
  );
  const exact = f(whole + part);
  const radius = Math.trunc(exact);
  const inner = Math.trunc(f(2 ** 24 / f(f(exact * 2) + 1)));
  return { radius, inner, outer: Math.floor((2 ** 24 - (2 * radius + 1) * inner) / 2) };
}

const lines = [scratch(), scratch()] as const;

/** The bytes of one channel along a row or a column. */
interface Line {
  readonly start: number;
  readonly stride: number;
  readonly length: number;
}

/** Blurs a line three times in place. */
function blurLine(data: Uint8Array, { start, stride, length }: Line, box: SoftBox): void {
  // A line whose ends are repeated as far as the box reaches has no ends to ask for.
  const margin = box.radius + 1;
  const one = lines[0](length + 2 * margin);
  const two = lines[1](length + 2 * margin);
  for (let i = 0, from = start; i < length; i++, from += stride) {
    one[margin + i] = data[from] as number;
  }
  blurOnce(one, box, length, two, margin, 1);
  blurOnce(two, box, length, one, margin, 1);
  blurOnce(one, box, length, data, start, stride);
}

/** Blurs the `length` bytes of `line` that follow its margin, to `target` from `to` on. */
function blurOnce(
  line: Uint8Array,
  { radius, inner, outer }: SoftBox,
  length: number,
  target: Uint8Array,
  to: number,
  stride: number,
): void {
  const margin = radius + 1;
  const first = line[margin] as number;
  const last = line[margin + length - 1] as number;
  for (let i = 0; i < margin; i++) {
    line[i] = first;
    line[margin + length + i] = last;
  }
  let sum = 0;
  for (let i = 1; i <= 2 * radius + 1; i++) sum += line[i] as number;
  let before = line[0] as number;
  for (let i = 0; i < length; i++) {
    const after = line[i + 2 * margin] as number;
    target[to] = (Math.imul(sum, inner) + Math.imul(before + after, outer) + 0x800000) >>> 24;
    before = line[i + 1] as number;
    sum += after - before;
    to += stride;
  }
}
