import { fold, key, random } from "@dino/random";
import { type FeatureSource, featureSource } from "../feature-source.ts";
import { assertLabels, assertWhole, type Features } from "../features.ts";

export interface HoldOutOptions {
  /** The share of each class that is held out, between 0 and 1. */
  readonly share: number;
  readonly seed: number;
}

export interface HeldOut {
  /** What is left to train on. */
  readonly rest: FeatureSource;
  readonly held: FeatureSource;
}

/**
 * Features in two: some rows of each class at random, at least one where a class has two, and the
 * others. Both are in the order in which they were.
 */
export function holdOut(
  features: Features | FeatureSource,
  { share, seed }: HoldOutOptions,
): HeldOut {
  if (!(share > 0 && share < 1)) {
    throw new RangeError(`share: expected a number between 0 and 1, got ${share}`);
  }
  assertWhole("features", features);
  assertLabels("features", features);
  const source = featureSource(features);
  const rows = new Map<number, number[]>();
  source.labels.forEach((label, row) => {
    const others = rows.get(label);
    if (others) others.push(row);
    else rows.set(label, [row]);
  });
  const isHeld = new Uint8Array(source.count);
  for (const [label, own] of rows) {
    const wanted = Math.max(own.length > 1 ? 1 : 0, Math.round(share * own.length));
    const order = random(fold(key(seed), label)).permutation(own.length);
    for (let i = 0; i < Math.min(wanted, own.length - 1); i++) {
      isHeld[own[order[i] as number] as number] = 1;
    }
  }
  const [rest, held] = [0, 1].map((value) => rowsOf(source, isHeld, value)) as [
    FeatureSource,
    FeatureSource,
  ];
  if (held.count === 0) {
    throw new RangeError("features: expected a class with two rows at least, to hold one out");
  }
  return { rest, held };
}

/** Values that are read at once where only some of the rows are wanted: 64 MiB. */
const valuesAtOnce = 2 ** 24;

/** The rows that are marked by `value`. */
function rowsOf(source: FeatureSource, marks: Uint8Array, value: number): FeatureSource {
  const { dim } = source;
  const count = marks.reduce((sum, mark) => sum + (mark === value ? 1 : 0), 0);
  const indices = new Uint32Array(count);
  let filled = 0;
  marks.forEach((mark, row) => {
    if (mark === value) indices[filled++] = row;
  });
  const span = Math.max(1, Math.floor(valuesAtOnce / dim));
  return {
    dim,
    count,
    labels: Int32Array.from(indices, (row) => source.labels[row] as number),
    read: async (first, length) => {
      const rows = new Float32Array(length * dim);
      for (let done = 0; done < length; ) {
        const begin = indices[first + done] as number;
        let end = done + 1;
        while (end < length && (indices[first + end] as number) - begin < span) end++;
        const last = indices[first + end - 1] as number;
        const values = await source.read(begin, last + 1 - begin);
        for (; done < end; done++) {
          const at = ((indices[first + done] as number) - begin) * dim;
          rows.set(values.subarray(at, at + dim), done * dim);
        }
      }
      return rows;
    },
  };
}
