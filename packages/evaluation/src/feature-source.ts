import type { Features } from "./features.ts";

/**
 * Features that may be too many for memory: whoever needs them reads some rows at a time. Labels
 * are at hand, since they are few.
 */
export interface FeatureSource {
  /** Values in a row. */
  readonly dim: number;
  /** Rows. */
  readonly count: number;
  /** The class of each row from 0, or -1 where it has none: `count` values. */
  readonly labels: Int32Array;
  /** The rows `first` to `first + count - 1`: `count * dim` values, which are read and not changed. */
  read(first: number, count: number): Promise<Float32Array>;
}

/** Features in memory, as something to read from. */
export function featureSource(features: Features | FeatureSource): FeatureSource {
  if ("read" in features) return features;
  const { rows, dim, count, labels } = features;
  return {
    dim,
    count,
    labels,
    read: async (first, count) => rows.subarray(first * dim, (first + count) * dim),
  };
}

/** All rows of a source in memory. */
export async function collectFeatures(source: FeatureSource): Promise<Features> {
  const { dim, count, labels } = source;
  const rows = new Float32Array(count * dim);
  const step = Math.max(1, Math.floor(collectedAtOnce / dim));
  for (let first = 0; first < count; first += step) {
    rows.set(await source.read(first, Math.min(step, count - first)), first * dim);
  }
  return { rows, dim, count, labels };
}

/** Values that are copied at once: 64 MiB. */
const collectedAtOnce = 2 ** 24;
