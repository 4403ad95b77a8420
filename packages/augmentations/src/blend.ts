import type { Pixels } from "@dino/ops";
import { luma } from "./luma.ts";
import { assertWithin, changed, clamped } from "./pixels.ts";

/** Mixed with black: factor 0 is black, 1 changes nothing, more is brighter. */
export function brightness(pixels: Pixels, factor: number): Pixels {
  assertFactor(factor);
  return changed(pixels, (data) => brighten(data, factor));
}

/** Mixed with its own mean grey: factor 0 is grey, 1 changes nothing, more has more contrast. */
export function contrast(pixels: Pixels, factor: number): Pixels {
  assertFactor(factor);
  return changed(pixels, (data) => contrastBytes(data, factor));
}

/** Mixed with its own grey levels: factor 0 is colourless, 1 changes nothing, more is more colourful. */
export function saturation(pixels: Pixels, factor: number): Pixels {
  assertFactor(factor);
  return changed(pixels, (data) => saturate(data, factor));
}

/** `brightness` in place. */
export function brighten(data: Uint8Array, factor: number): void {
  blendWithLevel(data, 0, factor);
}

/** `contrast` in place. */
export function contrastBytes(data: Uint8Array, factor: number): void {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) {
    sum += luma(data[i] as number, data[i + 1] as number, data[i + 2] as number);
  }
  blendWithLevel(data, Math.floor((3 * sum) / data.length + 0.5), factor);
}

/** `saturation` in place. */
export function saturate(data: Uint8Array, factor: number): void {
  const target = clamped(data);
  const scaled = scaledDifferences(factor);
  for (let i = 0; i < data.length; i += 3) {
    const red = data[i] as number;
    const green = data[i + 1] as number;
    const blue = data[i + 2] as number;
    const grey = luma(red, green, blue);
    target[i] = Math.fround(grey + (scaled[255 + red - grey] as number)) | 0;
    target[i + 1] = Math.fround(grey + (scaled[255 + green - grey] as number)) | 0;
    target[i + 2] = Math.fround(grey + (scaled[255 + blue - grey] as number)) | 0;
  }
}

function blendWithLevel(data: Uint8Array, level: number, factor: number): void {
  const single = Math.fround(factor);
  for (let byte = 0; byte < 256; byte++) {
    table[byte] = Math.trunc(Math.fround(level + Math.fround(single * (byte - level))));
  }
  for (let i = 0; i < data.length; i++) data[i] = table[data[i] as number] as number;
}

/**
 * `factor` times each difference of two bytes, from -255 to 255. Pillow blends in float32, rounded
 * after the product and after the sum; what comes out is cut off to an integer.
 */
function scaledDifferences(factor: number): Float32Array {
  const single = Math.fround(factor);
  for (let i = 0; i < differences.length; i++) differences[i] = single * (i - 255);
  return differences;
}

// Made anew by each call, in the same memory: small crops would mostly wait for its allocation.
const differences = new Float32Array(511);
const table = new Uint8ClampedArray(256);

function assertFactor(factor: number): void {
  assertWithin("factor", factor, 0, Number.POSITIVE_INFINITY);
}
