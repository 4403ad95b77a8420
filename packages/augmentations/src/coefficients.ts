import { type Filter, filters } from "./filter.ts";

/** How each output pixel along an axis is mixed from input pixels. */
export interface Coefficients {
  /** Weights per output pixel, a multiple of 4; those that it does not need, at the end, are 0. */
  readonly taps: number;
  /** First input pixel of each output pixel: `[outputs]`. */
  readonly first: Int32Array;
  /** How many input pixels each output pixel is mixed from: `[outputs]`. */
  readonly count: Int32Array;
  /** Weights with `fractionBits` fractional bits: `[outputs, taps]`. */
  readonly weights: Int32Array;
}

/** Pillow's: 32 bits, less 8 for the pixel and 2 for sums beyond its range. */
export const fractionBits = 22;

/**
 * The coefficients that take an axis from `inputs` to `outputs` pixels. When it shrinks, the
 * kernel is stretched by as much, so that every input pixel counts (antialiasing). The last input
 * pixel counts in part where the picture's `extent` ends within it.
 */
export function coefficients(
  filter: Filter,
  inputs: number,
  outputs: number,
  extent: number = inputs,
): Coefficients {
  const { support, weight } = filters[filter];
  const scale = extent / outputs;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  const taps = 4 * Math.ceil((2 * reach + 1) / 4);

  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Int32Array(outputs * taps);
  const row = new Float64Array(taps);
  for (let output = 0; output < outputs; output++) {
    const center = (output + 0.5) * scale;
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const length = Math.min(Math.trunc(center + reach + 0.5), inputs) - start;
    let sum = 0;
    for (let tap = 0; tap < length; tap++) {
      // Multiplied by the reciprocal, as Pillow does: a quotient may round otherwise.
      const value = weight((tap + start - center + 0.5) * (1 / stretch));
      row[tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < length; tap++) {
      const value = ((row[tap] as number) / sum) * 2 ** fractionBits;
      weights[output * taps + tap] = Math.trunc(value + (value < 0 ? -0.5 : 0.5));
    }
    first[output] = start;
    count[output] = length;
  }
  return { taps, first, count, weights };
}
