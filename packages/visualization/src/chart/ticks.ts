/** Numbers for an axis: round ones at equal distances. */
export interface Ticks {
  readonly values: readonly number[];
  readonly labels: readonly string[];
}

/**
 * About `count` round numbers within `[low, high]`, 1, 2 or 5 times a power of ten apart.
 */
export function ticks(low: number, high: number, count: number): Ticks {
  const step = roundStep((high - low) / Math.max(1, count));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const values = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const largest = Math.max(...values.map(Math.abs));
  return { values, labels: values.map((value) => label(value, step, largest)) };
}

/** The range widened until it ends on ticks. */
export function niceRange(low: number, high: number, count: number): readonly [number, number] {
  const step = roundStep((high - low) / Math.max(1, count));
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

/** The range itself, or one with room around it where it is too narrow to be divided. */
export function wideRange(low: number, high: number): readonly [number, number] {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size < 1e-100) return [-1, 1];
  return high - low > 1e-9 * size ? [low, high] : [low - size / 2, high + size / 2];
}

/** The smallest of 1, 2 and 5 times a power of ten that is not below `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** As many decimals as the step needs; thousands as k and millions as M, on the whole axis or not at all. */
function label(value: number, step: number, largest: number): string {
  if (value === 0) return "0";
  if (largest >= 1e9 || step < 1e-5) return value.toExponential(1);
  const [unit, suffix] = unitOf(largest, step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
  return (value / unit).toFixed(decimals) + suffix;
}

function unitOf(largest: number, step: number): readonly [unit: number, suffix: string] {
  if (largest >= 1e6 && step >= 1e4) return [1e6, "M"];
  if (largest >= 1e4 && step >= 100) return [1e3, "k"];
  return [1, ""];
}
