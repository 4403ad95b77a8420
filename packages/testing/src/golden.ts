import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** An array in a golden file: base64 of little-endian values. */
export interface GoldenArray {
  readonly dtype: "float32" | "float64" | "int32" | "uint8";
  readonly shape: readonly number[];
  readonly data: string;
}

/** What stands for an array too large to store. */
export interface Digest {
  readonly shape_numel: number;
  readonly l2: number;
  readonly mean: number;
  readonly head: readonly number[];
  readonly tail: readonly number[];
}

const types = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
} as const;

/** The folder that holds the goldens: the one in this package, or what `GOLDENS_DIR` names. */
export function goldensFolder(): string {
  const elsewhere = process.env.GOLDENS_DIR;
  return elsewhere ? resolve(elsewhere) : resolve(import.meta.dirname, "../goldens");
}

/**
 * A golden file by name, parsed. Its shape is the test's business: `golden<LossGolden>("loss")`.
 * NaN, which Python writes and JSON has no word for, becomes null.
 */
export function golden<T = unknown>(name: string): T {
  const text = readFileSync(resolve(goldensFolder(), `${name}.json`), "utf8");
  return JSON.parse(text.replaceAll(/\bNaN(?=[\s,\]}])/g, "null")) as T;
}

/** The values of a golden array. */
export function decode(array: GoldenArray): Float32Array | Float64Array | Int32Array | Uint8Array {
  const bytes = new Uint8Array(Buffer.from(array.data, "base64"));
  return new types[array.dtype](bytes.buffer);
}
