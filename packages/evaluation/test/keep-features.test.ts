import {
  collectFeatures,
  type FeatureStore,
  type Features,
  featureSource,
  keepFeatures,
} from "@dino/evaluation";
import { afterEach, expect, test, vi } from "vitest";
import { features } from "./sets.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Ten rows: row i is [i, 2i], of class i % 3. */
const whole = features(
  [...Array(10).keys()].map((i) => [i, 2 * i]),
  [...Array(10).keys()].map((i) => i % 3),
);

function part(first: number, end: number): Features {
  return {
    rows: whole.rows.slice(2 * first, 2 * end),
    dim: 2,
    count: end - first,
    labels: whole.labels.slice(first, end),
  };
}

/** Makes parts of three rows, and remembers where it was asked to begin. */
function maker(fault: { readonly at?: number; readonly error?: Error } = {}) {
  const begun: number[] = [];
  async function* make(first: number): AsyncGenerator<Features> {
    begun.push(first);
    for (let i = first; i < 10; i += 3) {
      if (fault.at !== undefined && i >= fault.at) throw fault.error;
      yield part(i, Math.min(10, i + 3));
    }
  }
  return { make, begun };
}

/** A store in memory. */
function memory(): FeatureStore & { readonly parts: Features[] } {
  const parts: Features[] = [];
  const kept = () => parts.reduce((sum, { count }) => sum + count, 0);
  return {
    parts,
    get kept() {
      return kept();
    },
    append: async (features) => {
      parts.push(features);
    },
    source: () => featureSource(part(0, kept())),
  };
}

const sizes = { dim: 2, count: 10 };

test("keeps all features, and makes none that are kept", async () => {
  const [store, { make, begun }] = [memory(), maker()];
  expect(await collectFeatures(await keepFeatures(store, { ...sizes, make }))).toEqual(whole);
  expect(store.parts).toEqual([whole]); // together, as they are few
  expect(await collectFeatures(await keepFeatures(store, { ...sizes, make }))).toEqual(whole);
  expect(begun).toEqual([0]);
});

test("keeps what was made before a failure, and goes on from there", async () => {
  const store = memory();
  const error = new Error("out of order");
  const failing = maker({ at: 6, error });
  await expect(keepFeatures(store, { ...sizes, make: failing.make })).rejects.toBe(error);
  expect(store.parts).toEqual([part(0, 6)]);
  const { make, begun } = maker();
  const seen: number[] = [];
  await keepFeatures(store, { ...sizes, make, onProgress: ({ done }) => seen.push(done) });
  expect(begun).toEqual([6]);
  expect(seen).toEqual([6, 9, 10]);
  expect(store.parts).toEqual([part(0, 6), part(6, 10)]);
});

test("keeps what was made before it was told to stop", async () => {
  const store = memory();
  const controller = new AbortController();
  const call = keepFeatures(store, {
    ...sizes,
    make: maker().make,
    signal: controller.signal,
    onProgress: ({ done }) => done === 6 && controller.abort(new Error("enough")),
  });
  await expect(call).rejects.toThrow("enough");
  expect(store.kept).toBe(6);
});

test("does not let much time pass without keeping what there is", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const store = memory();
  async function* make() {
    for (let i = 0; i < 10; i += 2) {
      vi.advanceTimersByTime(16_000);
      yield part(i, i + 2);
    }
  }
  await keepFeatures(store, { ...sizes, make });
  expect(store.parts.map(({ count }) => count)).toEqual([4, 4, 2]);
});

test("says when the store fails, without asking it again", async () => {
  const append = vi.fn(async () => {
    throw new Error("disk full");
  });
  const store: FeatureStore = { kept: 0, append, source: () => featureSource(whole) };
  await expect(keepFeatures(store, { ...sizes, make: maker().make })).rejects.toThrow("disk full");
  expect(append).toHaveBeenCalledTimes(1);
});

test.each<[string, Partial<Features>, string]>([
  [
    "rows of another length",
    { dim: 3, rows: new Float32Array(6) },
    "features: expected at most 10 rows of 2 values, each with a label, got 2 of 3, 6 values and 2 labels",
  ],
  [
    "labels that are missing",
    { labels: Int32Array.of(1) },
    "features: expected at most 10 rows of 2 values, each with a label, got 2 of 2, 4 values and 1 labels",
  ],
  ["too few", {}, "features: expected 10 rows, got 2"],
])("says what is wrong with %s", async (_, flaw, message) => {
  async function* make() {
    yield { ...part(0, 2), ...flaw };
  }
  await expect(keepFeatures(memory(), { ...sizes, make })).rejects.toThrow(message);
});

test("says when the store is of more rows", async () => {
  const store = memory();
  store.parts.push(whole);
  await expect(keepFeatures(store, { dim: 2, count: 9, make: maker().make })).rejects.toThrow(
    "store: expected at most 9 rows, got 10",
  );
});

test("reads any rows of features in memory", async () => {
  const source = featureSource(whole);
  expect(await source.read(3, 2)).toEqual(Float32Array.of(3, 6, 4, 8));
  expect(featureSource(source)).toBe(source);
});
