import {
  copyDescriptor,
  copyDetection,
  learnWhitening,
  microAveragePrecision,
  whiten,
} from "@dino/evaluation";
import {
  decode,
  expectClose,
  expectNoLeak,
  expectValues,
  named,
  onEveryBackend,
} from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { figures, namedFeatures } from "./figures.ts";
import { features } from "./sets.ts";

const { plain, whitened, centered, three, similarity, descriptor } = figures.copyDetection;
const dim = 8;
const originals = namedFeatures("copies.originals", 12, dim, 0.5);
const distractors = namedFeatures("copies.distractors", 30, dim, 0.5);
const others = namedFeatures("copies.others", 50, dim, 0.5);
const noise = namedFeatures("copies.noise", 12, dim);
const copies = {
  ...originals,
  rows: originals.rows.map((value, at) => value + 1.1 * (noise.rows[at] as number)),
};
const database = {
  rows: Float32Array.of(...originals.rows, ...distractors.rows),
  dim,
  count: 42,
  labels: new Int32Array(42),
};
const own = Array.from({ length: 12 }, (_, i) => [i]);

onEveryBackend(
  () => {
    test("agrees with plain numpy, as it is, whitened, and about the mean", async () => {
      const before = tf.memory().numTensors;
      const scores = await copyDetection(copies, database, own);
      expect(scores.meanAveragePrecision).toBeCloseTo(plain.map, 9);
      expect(scores.microAveragePrecision).toBeCloseTo(plain.micro, 9);
      const few = await copyDetection(copies, database, own, { k: 3 });
      expect(few.meanAveragePrecision).toBeCloseTo(three.map, 9);
      expect(few.microAveragePrecision).toBeCloseTo(three.micro, 9);

      for (const [options, expected] of [
        [{}, whitened],
        [{ centered: true }, centered],
      ] as const) {
        const whitening = await learnWhitening(others, options);
        const scores = await copyDetection(
          await whiten(copies, whitening),
          await whiten(database, whitening),
          own,
        );
        expect(scores.meanAveragePrecision).toBeCloseTo(expected.map, 9);
        expect(scores.microAveragePrecision).toBeCloseTo(expected.micro, 9);
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    test("has the similarities of a whitening whose axes' signs are free", async () => {
      const whitening = await learnWhitening(others);
      const queries = tf.tensor2d((await whiten(copies, whitening)).rows, [12, dim]);
      const rows = tf.tensor2d((await whiten(database, whitening)).rows, [42, dim]);
      const unit = (x: tf.Tensor2D) => tf.div<tf.Tensor2D>(x, tf.norm(x, 2, 1, true));
      const found = tf.matMul(unit(queries), unit(rows), false, true);
      expectValues(await found.data(), decode(similarity), 1e-5);
    });
  },
  { waits: true },
);

onEveryBackend(() => {
  test("describes a picture by its class token and the mean of its patches", () => {
    const tokens = named<tf.Tensor3D>("copies.tokens", [2, 7, 5]);
    const backbone = { embedDim: 5, intermediateTokens: () => [tf.clone(tokens)] };
    const { embedDim, forward } = copyDescriptor(backbone);
    expect(embedDim).toBe(10);
    const images = tf.zeros<tf.Rank.R4>([2, 1, 1, 3]);
    expectClose(forward({}, images), descriptor);
    expectNoLeak(() => forward({}, images));
  });
});

test("keeps the noise of directions that nothing varies in at bay", async () => {
  const flat = features([
    [1, 0, 0],
    [-1, 0, 0],
    [2, 0, 0],
  ]);
  const { rows } = await whiten(flat, await learnWhitening(flat));
  expect(rows.every(Number.isFinite)).toBe(true);
});

test("asks for one threshold for all queries, those without a copy included", async () => {
  const rows = features([
    [1, 0],
    [0, 1],
  ]);
  const queries = features([
    [1, 0.1],
    [0.1, 1],
    [1, 0],
  ]);
  const alone = await copyDetection(queries, rows, [[0], [1], []], { k: 1 });
  // The third query has no copy, and is surer of its candidate than the others are of theirs.
  expect(alone.meanAveragePrecision).toBe(100);
  expect(alone.microAveragePrecision).toBeCloseTo((100 * (1 / 2 + 2 / 3)) / 2, 9);
});

test("has candidates in the order of their scores, and counts what was missed", () => {
  const found = [
    { score: 0.5, isRight: true },
    { score: 0.9, isRight: false },
    { score: 0.9, isRight: true },
  ];
  expect(microAveragePrecision(found, 4)).toBeCloseTo((1 / 2 + 2 / 3) / 4, 12);
});

test("has no figure where nothing is a copy", async () => {
  const pair = features([
    [1, 0],
    [0, 1],
  ]);
  const scores = await copyDetection(pair, pair, [[], []]);
  expect(scores.meanAveragePrecision).toBeNaN();
  expect(scores.microAveragePrecision).toBeNaN();
});

const pair = features([
  [1, 2],
  [3, 4],
]);
test.each<[string, () => unknown, string]>([
  [
    "too few lists of originals",
    () => copyDetection(pair, pair, [[0]]),
    "originals: expected those of 2 queries, got 1",
  ],
  [
    "no candidates",
    () => copyDetection(pair, pair, [[0], [1]], { k: 0 }),
    "k: expected a whole number from 1, got 0",
  ],
  [
    "a whitening of other features",
    async () => whiten(features([[1, 2, 3]]), await learnWhitening(pair)),
    "features: expected rows of 2 values as in the whitening, got 3",
  ],
  [
    "nothing but zeros",
    () => learnWhitening(features([[0, 0]])),
    "features: expected rows that differ, got nothing but zeros",
  ],
  [
    "a power of 0",
    async () => copyDescriptor({ embedDim: 1, intermediateTokens: () => [] }, { power: 0 }),
    "power: expected a number above 0, got 0",
  ],
])("says what is wrong with %s", async (_, run, message) => {
  await expect(run()).rejects.toThrow(message);
});
