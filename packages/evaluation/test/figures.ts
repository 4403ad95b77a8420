import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Features } from "@dino/evaluation";
import { type GoldenArray, namedValues } from "@dino/testing";

interface Scores {
  readonly map: number;
  readonly precision: readonly number[];
}

interface CopyScores {
  readonly map: number;
  readonly micro: number;
}

type Triple = readonly [mean: number, recall: number, decay: number];

/** What `reference/figures.py` makes. */
export interface Figures {
  readonly retrieval: {
    readonly truth: readonly {
      readonly easy: readonly number[];
      readonly hard: readonly number[];
      readonly junk: readonly number[];
    }[];
    readonly scores: Readonly<Record<"easy" | "medium" | "hard", Scores>>;
  };
  readonly multiScale: GoldenArray;
  readonly copyDetection: Readonly<
    Record<"plain" | "whitened" | "centered" | "three", CopyScores>
  > & { readonly similarity: GoldenArray; readonly descriptor: GoldenArray };
  readonly video: { readonly soft: GoldenArray; readonly labels: GoldenArray };
  readonly measures: {
    readonly objects: readonly { readonly region: Triple; readonly boundary: Triple }[];
    readonly sums: readonly (readonly number[])[];
  };
  readonly nearest: readonly GoldenArray[];
}

export const figures: Figures = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "reference/figures.json"), "utf8"),
);

/** Features behind a name, as `reference/named.py` makes them, with something added to each value. */
export function namedFeatures(name: string, count: number, dim: number, shift = 0): Features {
  const rows = namedValues(name, count * dim).map((value) => value + shift);
  return { rows, dim, count, labels: new Int32Array(count).fill(-1) };
}
