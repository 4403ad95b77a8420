import { ShapeError } from "@dino/ops";
import { type FeatureSource, featureSource } from "./feature-source.ts";
import { type Features, notFinite } from "./features.ts";

/** Rows of length 1. */
export interface UnitRows {
  /** `count * dim` values. */
  readonly unit: Float32Array;
  readonly count: number;
  readonly dim: number;
}

/** Rows of length 1, some at a time. */
export interface UnitSource {
  readonly count: number;
  readonly dim: number;
  /** The rows `first` to `first + count - 1`. */
  read(first: number, count: number): Promise<UnitRows>;
}

/**
 * Features scaled to length 1 as they are read, in memory of their own; a row of zeros stays as it
 * is. A row with NaN or infinity in it is an error, which calls the features `name`.
 */
export function unitSource(name: string, features: Features | FeatureSource): UnitSource {
  const source = featureSource(features);
  const { count, dim } = source;
  return {
    count,
    dim,
    read: async (first, count) => {
      const rows = await source.read(first, count);
      if (rows.length !== count * dim) {
        throw new ShapeError(
          `${name}: expected ${count} rows of ${dim} values from row ${first} on, got ${rows.length} values`,
        );
      }
      return { unit: scaled(name, rows, dim), count, dim };
    },
  };
}

function scaled(name: string, rows: Float32Array, dim: number): Float32Array {
  const unit = new Float32Array(rows.length);
  let broken = 0;
  for (let start = 0; start < rows.length; start += dim) {
    let squares = 0;
    for (let i = start; i < start + dim; i++) squares += (rows[i] as number) ** 2;
    if (!Number.isFinite(squares)) broken++; // as float32 values' squares are finite here
    const scale = 1 / Math.max(Math.sqrt(squares), 1e-12);
    for (let i = start; i < start + dim; i++) unit[i] = (rows[i] as number) * scale;
  }
  if (broken > 0) throw notFinite(name, broken, rows.length / dim);
  return unit;
}
