import { classFigures, confusion, type Features, knn, knnLeaveOneOut } from "@dino/evaluation";
import { decode, type GoldenArray, golden, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { features } from "./sets.ts";

interface KnnGolden {
  readonly classes: number;
  readonly train_features: GoldenArray;
  readonly train_labels: GoldenArray;
  readonly test_features: GoldenArray;
  readonly test_labels: GoldenArray;
  readonly temperature: number;
  readonly top1_top5: Readonly<Record<string, readonly [number, number]>>;
}

const { train_features, train_labels, test_features, test_labels, ...expected } =
  golden<KnnGolden>("knn");
const train = decoded(train_features, train_labels);
const held = decoded(test_features, test_labels);
const { temperature, classes } = expected;

function decoded(rows: GoldenArray, labels: GoldenArray): Features {
  const [count, dim] = rows.shape as readonly [number, number];
  return {
    rows: Float32Array.from(decode(rows)),
    dim,
    count,
    labels: Int32Array.from(decode(labels)),
  };
}

onEveryBackend(
  () => {
    test("agrees with the reference to the picture, for every k at once", async () => {
      const k = Object.keys(expected.top1_top5).map(Number);
      const { top1, top5 } = await knn(train, held, { k, temperature, classes });
      for (const [each, [first, firstFive]] of Object.entries(expected.top1_top5)) {
        expect(top1[each]).toBeCloseTo(first, 9);
        expect(top5[each]).toBeCloseTo(firstFive, 9);
      }
    });

    test("agrees with the definition, ties included", async () => {
      await fc.assert(
        fc.asyncProperty(signs({ least: 5 }), signs({ least: 1 }), async (some, others) => {
          const k = [1, 3, 5];
          const { top1, top5 } = await knn(some, others, { k, temperature: 0.5 });
          for (const each of k) {
            const [first, firstFive] = byDefinition(some, others, each, 0.5);
            expect(top1[each]).toBeCloseTo(first, 9);
            expect(top5[each]).toBeCloseTo(firstFive, 9);
          }
        }),
        { numRuns: 50, seed: 1 },
      );
    });

    test("leaves out one row at a time where there is no test set", async () => {
      await fc.assert(
        fc.asyncProperty(signs({ least: 6 }), async (all) => {
          const k = [1, 5];
          const { top1, top5 } = await knnLeaveOneOut(all, { k, temperature: 0.5 });
          const rows = [...Array(all.count).keys()].map((i) => {
            const others = pick(all, (j) => j !== i);
            return byDefinition(
              others,
              pick(all, (j) => j === i),
              5,
              0.5,
            );
          });
          expect(top1[5]).toBeCloseTo(mean(rows.map(([first]) => first)), 9);
          expect(top5[5]).toBeCloseTo(mean(rows.map(([, firstFive]) => firstFive)), 9);
        }),
        { numRuns: 20, seed: 1 },
      );
    });

    test("leaks no tensors", async () => {
      const before = tf.memory().numTensors;
      await knn(train, held, { k: [5] });
      expect(tf.memory().numTensors).toBe(before);
    });

    test("stops when it is told to, and leaves no tensors behind", async () => {
      const before = tf.memory().numTensors;
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(knn(train, held, { k: [5], signal })).rejects.toThrow("enough");
      expect(tf.memory().numTensors).toBe(before);
    });
  },
  { waits: true },
);

test("does not depend on the lengths of rows", async () => {
  const rows = train.rows.map((value, i) => value * 2 ** (Math.floor(i / train.dim) % 9));
  const k = [10, 20];
  expect(await knn({ ...train, rows }, held, { k })).toEqual(await knn(train, held, { k }));
});

test("keeps small temperatures finite: the nearest then decides alone", async () => {
  const { top1 } = await knn(train, held, { k: [1, 20], temperature: 1e-5 });
  expect(top1[20]).toBe(top1[1]);
});

test("counts the classes that nobody votes for in the order of their numbers", async () => {
  const set = features(
    [
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
    ],
    [9, 9, 9, 9, 9, 7],
  );
  const asked = features(
    [
      [1, 0],
      [1, 0],
    ],
    [3, 4],
  );
  const { top5 } = await knn(set, asked, { k: [5], classes: 10 });
  expect(top5[5]).toBe(50); // 9 by votes, then 0, 1, 2, 3; and 4 is too late
});

/** Features that can only be read some rows at a time; remembers how many at most. */
function source({ rows, dim, count, labels }: Features) {
  let most = 0;
  return {
    ...{ dim, count, labels, most: () => most },
    read: async (first: number, length: number) => {
      most = Math.max(most, length);
      return rows.slice(first * dim, (first + length) * dim);
    },
  };
}

test("reads features from elsewhere, some rows at a time, and finds the same", async () => {
  const k = [1, 20];
  expect(await knn(source(train), source(held), { k })).toEqual(await knn(train, held, { k }));
  // Wide rows are few to a block: these come in two.
  const [count, dim] = [40, 2 ** 19];
  const wide = { count, dim, labels: Int32Array.from({ length: count }, (_, i) => i % 3) };
  const read = async (first: number, length: number) => {
    const rows = new Float32Array(length * dim);
    for (let i = 0; i < length; i++) rows[i * dim + Math.floor((first + i) / 2)] = 1 + first + i;
    return rows;
  };
  const found = await knnLeaveOneOut(
    { ...wide, read: async (first, length) => read(first, length) },
    { k: [1] },
  );
  const twin = (i: number) => (i % 2 === 0 ? i + 1 : i - 1);
  expect([...(found.predicted[1] as Int32Array)]).toEqual(
    [...Array(count).keys()].map((i) => twin(i) % 3),
  );
});

test("checks features from elsewhere as they are read", async () => {
  const rows = train.rows.slice();
  rows[7 * train.dim] = Number.POSITIVE_INFINITY;
  const flawed = source({ ...train, rows });
  await expect(knn(flawed, held, { k: [1] })).rejects.toThrow(
    `train: expected finite features, got 1 of ${train.count} rows with NaN or infinity`,
  );
  const short = { ...source(train), read: async () => new Float32Array(3) };
  await expect(knn(short, held, { k: [1] })).rejects.toThrow(
    `train: expected ${train.count} rows of ${train.dim} values from row 0 on, got 3 values`,
  );
});

test("tells what each row was taken for", async () => {
  const { top1, predicted } = await knn(train, held, { k: [20] });
  const answers = predicted[20] as Int32Array;
  const right = answers.filter((label, i) => label === held.labels[i]).length;
  expect((100 * right) / held.count).toBe(top1[20]);
  const table = confusion(held.labels, answers, classes);
  expect(table.counts.reduce((a, b) => a + b)).toBe(held.count);
  const figures = classFigures(table);
  const recalled = figures.reduce((sum, { count, recall }) => sum + (count * recall) / 100, 0);
  expect(recalled).toBeCloseTo(right, 9);
});

test("tells how far it has come", async () => {
  const seen: number[] = [];
  await knn(train, held, { k: [1], onProgress: ({ done, total }) => seen.push(done / total) });
  expect(seen.at(-1)).toBe(1);
});

const flat = features(
  [
    [1, 2],
    [3, 4],
  ],
  [-1, -1],
);
const pair = features(
  [
    [1, 2],
    [3, 4],
  ],
  [0, 1],
);

test.each([
  [
    "no classes",
    flat,
    pair,
    { k: [1] },
    "train: expected classes from 0, got -1 for row 0: pictures in a flat folder have no classes, and viewRetrieval needs none",
  ],
  [
    "a class too high",
    pair,
    pair,
    { k: [1], classes: 1 },
    "train: expected classes below 1, got 1 for row 1",
  ],
  [
    "more neighbours than rows",
    pair,
    pair,
    { k: [1, 20] },
    "k: expected at most 2 (the rows of train), got 20",
  ],
  ["no k", pair, pair, { k: [] }, "k: expected at least one number, got none"],
  ["half a neighbour", pair, pair, { k: [0.5] }, "k: expected whole numbers from 1, got 0.5"],
  [
    "a temperature of 0",
    pair,
    pair,
    { k: [1], temperature: 0 },
    "temperature: expected a number above 0, got 0",
  ],
  [
    "rows of other lengths",
    pair,
    features([[1, 2, 3]]),
    { k: [1] },
    "test: expected rows of 2 values as in train, got 3",
  ],
  ["no rows", pair, features([]), { k: [1] }, "test: expected at least one row, got none"],
  [
    "rows cut short",
    pair,
    { ...pair, rows: pair.rows.subarray(1) },
    { k: [1] },
    "test: expected 2 rows of 2 values and 2 labels, got 3 values and 2 labels",
  ],
  [
    "features that are not numbers",
    features([
      [1, Number.NaN],
      [1, 1],
    ]),
    pair,
    { k: [1] },
    "train: expected finite features, got 1 of 2 rows with NaN or infinity (the weights have diverged, or are not the network's)",
  ],
])("says what is wrong with %s", async (_, train, held, options, message) => {
  await expect(knn(train, held, options)).rejects.toThrow(message);
});

test("says that a row is no neighbour of its own", async () => {
  await expect(knnLeaveOneOut(pair, { k: [2] })).rejects.toThrow(
    "k: expected at most 1 (the rows of features less one), got 2",
  );
});

/** Rows of four signs: their cosine similarities are exact, and mostly tie. */
function signs({ least }: { readonly least: number }): fc.Arbitrary<Features> {
  const sign = fc.constantFrom(-1, 1);
  const row = fc.record({ row: fc.tuple(sign, sign, sign, sign), label: fc.nat(8) });
  return fc.array(row, { minLength: least, maxLength: 20 }).map((rows) =>
    features(
      rows.map(({ row }) => row),
      rows.map(({ label }) => label),
    ),
  );
}

/** Top-1 and top-5 in percent, as plainly as it can be said. */
function byDefinition(
  train: Features,
  test: Features,
  k: number,
  temperature: number,
): readonly [number, number] {
  const at = ({ rows, dim }: Features, i: number) => [...rows.subarray(i * dim, (i + 1) * dim)];
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  const ranks = [...test.labels].map((answer, i) => {
    const query = at(test, i);
    const neighbors = [...train.labels]
      .map((label, j) => ({ label, similarity: dot(query, at(train, j)) / 4 }))
      .sort((a, b) => b.similarity - a.similarity) // stable
      .slice(0, k);
    const votes = new Array<number>(9).fill(0);
    const nearest = neighbors[0]?.similarity as number;
    for (const { label, similarity } of neighbors) {
      votes[label] = (votes[label] as number) + Math.exp((similarity - nearest) / temperature);
    }
    const order = votes.map((_, label) => label);
    return order.sort((a, b) => (votes[b] as number) - (votes[a] as number)).indexOf(answer);
  });
  const share = (n: number) => 100 * mean(ranks.map((rank) => (rank < n ? 1 : 0)));
  return [share(1), share(Math.min(5, k))];
}

function pick({ rows, dim, labels }: Features, keep: (i: number) => boolean): Features {
  const kept = [...labels.keys()].filter(keep);
  return features(
    kept.map((i) => [...rows.subarray(i * dim, (i + 1) * dim)]),
    kept.map((i) => labels[i] as number),
  );
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
