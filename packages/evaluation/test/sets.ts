import type { Features } from "@dino/evaluation";

/** Features from rows and labels written out. */
export function features(
  rows: readonly (readonly number[])[],
  labels: readonly number[] = rows.map(() => 0),
): Features {
  return {
    rows: Float32Array.from(rows.flat()),
    dim: rows[0]?.length ?? 1,
    count: rows.length,
    labels: Int32Array.from(labels),
  };
}
