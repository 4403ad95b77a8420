import {
  averagePrecision,
  type Features,
  multiScale,
  type QueryTruth,
  type RevisitedProtocol,
  retrieval,
  retrievalScores,
  revisitedProtocols,
} from "@dino/evaluation";
import {
  decode,
  expectClose,
  expectNoLeak,
  type GoldenArray,
  golden,
  namedImages,
  onEveryBackend,
} from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { figures, namedFeatures } from "./figures.ts";
import { features } from "./sets.ts";

interface RetrievalGolden {
  /** `[rows, queries]`: a ranking a column. */
  readonly ranks: GoldenArray;
  readonly gnd: readonly { readonly ok: GoldenArray; readonly junk: GoldenArray }[];
  readonly kappas: readonly number[];
  readonly map: number;
  /** Null where there is nothing to find. */
  readonly aps: readonly (number | null)[];
  readonly pr: readonly number[];
  readonly prs: readonly (readonly (number | null)[])[];
}

const reference = golden<RetrievalGolden>("retrieval");

test("agrees with the reference on its rankings", () => {
  const { ranks, gnd, kappas: k, map, aps, pr, prs } = reference;
  const [rows, queries] = ranks.shape as readonly [number, number];
  const values = decode(ranks);
  const rankings = Array.from({ length: queries }, (_, query) =>
    Array.from({ length: rows }, (_, place) => values[place * queries + query] as number),
  );
  const truth: readonly QueryTruth[] = gnd.map(({ ok, junk }) => ({
    positives: decode(ok),
    junk: decode(junk),
  }));
  const scores = retrievalScores(rankings, truth, { k });
  expect(scores.meanAveragePrecision / 100).toBeCloseTo(map, 9);
  k.forEach((each, i) => {
    expect((scores.meanPrecision[each] as number) / 100).toBeCloseTo(pr[i] as number, 9);
  });
  scores.queries.forEach((query, i) => {
    if (query === undefined) {
      expect(aps[i]).toBeNull();
      return;
    }
    expect(query.averagePrecision / 100).toBeCloseTo(aps[i] as number, 9);
    k.forEach((each, j) => {
      expect((query.precision[each] as number) / 100).toBeCloseTo(prs[i]?.[j] as number, 9);
    });
  });
});

onEveryBackend(
  () => {
    test("agrees with plain numpy from features on, in the three protocols at once", async () => {
      const rows = namedFeatures("retrieval.rows", 40, 6);
      const queries = namedFeatures("retrieval.queries", 5, 6);
      const seen: number[] = [];
      const scores = await retrieval(queries, rows, revisitedProtocols(figures.retrieval.truth), {
        onProgress: ({ done, total }) => seen.push(done / total),
      });
      for (const name of ["easy", "medium", "hard"] satisfies RevisitedProtocol[]) {
        const { map, precision } = figures.retrieval.scores[name];
        expect(scores[name].meanAveragePrecision).toBeCloseTo(map, 9);
        expect(Object.keys(scores[name].meanPrecision)).toEqual(["1", "5", "10"]);
        expect(Object.values(scores[name].meanPrecision)).toEqual(
          precision.map((value) => expect.closeTo(value, 9)),
        );
      }
      expect(seen.at(-1)).toBe(1);
    });

    test("ranks equally similar rows in their order, and keeps no tensor", async () => {
      const before = tf.memory().numTensors;
      const rows = features([
        [-1, 0],
        [0, 1],
        [2, 0],
        [1, 0],
        [0, -1],
      ]);
      const find = async (row: number) => {
        const protocols = { all: [{ positives: [row] }] };
        const { all } = await retrieval(features([[3, 0]]), rows, protocols, { k: [5] });
        return all.meanPrecision[5]; // one right row in as many as were looked at
      };
      const found = [];
      for (const row of [2, 3, 1, 4, 0]) found.push(await find(row));
      expect(found).toEqual([100, 50, 100 / 3, 25, 20]);
      expect(tf.memory().numTensors).toBe(before);
    });
  },
  { waits: true },
);

onEveryBackend(() => {
  test("sees pictures in several sizes as PyTorch does", () => {
    const images = namedImages("multi-scale.images", [2, 3, 23, 18]);
    const { embedDim, forward } = multiScale(waves);
    expect(embedDim).toBe(6);
    expectClose(forward({}, images), figures.multiScale, 1e-5);
    expectNoLeak(() => forward({}, images));
  });
});

/** A backbone that is a sum of the pixels by wave over their places. */
const waves = {
  embedDim: 6,
  forward: (_: object, images: tf.Tensor4D) =>
    tf.tidy(() => {
      const [batch, rows, columns] = images.shape;
      const wave = (value: (y: number, x: number) => number) =>
        Array.from({ length: rows * columns }, (_, at) =>
          value(Math.floor(at / columns), at % columns),
        );
      const weights = tf.tensor2d([
        wave((y, x) => Math.cos(0.3 * y + 0.2 * x)),
        wave((y, x) => Math.sin(0.1 * y * x)),
      ]); // [2, pixels]
      const pixels = tf.reshape(tf.transpose(images, [1, 2, 0, 3]), [rows * columns, batch * 3]);
      const sums = tf.div(tf.matMul(weights, pixels), rows * columns);
      const apart = tf.reshape(sums, [2, batch, 3]);
      return tf.reshape<tf.Rank.R2>(tf.transpose(apart, [1, 2, 0]), [batch, 6]);
    }),
};

test("is 100 for a ranking that begins with all there is to find, whatever junk lies between", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 6 }), (right, junk) => {
      const rows = Array.from({ length: 20 }, (_, row) => row);
      const truth = {
        positives: rows.slice(junk, junk + right),
        junk: rows.slice(0, junk),
      };
      const scores = retrievalScores([rows], [truth], { k: [1, 10] });
      expect(scores.meanAveragePrecision).toBeCloseTo(100, 9);
      expect(scores.meanPrecision).toEqual({ 1: 100, 10: 100 });
    }),
  );
});

test("counts by trapezoids, as the Oxford benchmark does", () => {
  expect(averagePrecision([0, 3, 7], 3)).toBeCloseTo(0.5823412698, 9);
  expect(averagePrecision([2], 1)).toBeCloseTo(0.1666666667, 9);
  expect(averagePrecision([], 4)).toBe(0);
});

test("leaves queries out that have nothing to find, and has no mean where none has", () => {
  const scores = retrievalScores([[0, 1]], [{ positives: [], junk: [1] }]);
  expect(scores.queries).toEqual([undefined]);
  expect(scores.meanAveragePrecision).toBeNaN();
});

test("gives no right row among the first where none was found", () => {
  const { queries } = retrievalScores([[0, 1, 2]], [{ positives: [7] }], { k: [2] });
  expect(queries).toEqual([{ averagePrecision: 0, precision: { 2: 0 } }]);
});

test("stops when it is told to", async () => {
  const pair = features([
    [1, 2],
    [3, 4],
  ]);
  const one = [{ positives: [0] }, { positives: [1] }];
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(retrieval(pair, pair, { one }, { signal })).rejects.toThrow("enough");
});

const pair: Features = features([
  [1, 2],
  [3, 4],
]);
test.each<[string, () => unknown, string]>([
  [
    "too few truths",
    () => retrieval(pair, pair, { all: [{ positives: [0] }] }),
    "all: expected the truth of 2 queries, got 1",
  ],
  [
    "a row that is not there",
    () => retrieval(pair, pair, { all: [{ positives: [0] }, { positives: [], junk: [2] }] }),
    "all: expected rows from 0 to 1, got 2 for query 1",
  ],
  [
    "rows of other lengths",
    () => retrieval(features([[1]]), pair, { all: [{ positives: [0] }] }),
    "queries: expected rows of 2 values as in rows, got 1",
  ],
  [
    "half a row",
    async () => retrievalScores([[0]], [{ positives: [0] }], { k: [0.5] }),
    "k: expected whole numbers from 1, got 0.5",
  ],
  [
    "a truth too many",
    async () => retrievalScores([], [{ positives: [0] }]),
    "truth: expected 0 queries, got 1",
  ],
  [
    "a scale above 1",
    async () => multiScale(waves, { scales: [2] }),
    "scales: expected numbers above 0 and at most 1, got 2",
  ],
])("says what is wrong with %s", async (_, run, message) => {
  await expect(run()).rejects.toThrow(message);
});
