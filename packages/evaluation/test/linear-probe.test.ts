import { readFileSync } from "node:fs";
import {
  epochLearningRate,
  evaluateLinear,
  type LinearClassifier,
  type LinearProbeState,
  linearProbe,
} from "@dino/evaluation";
import { key, random } from "@dino/random";
import { decode, expectValues, type GoldenArray, namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

/** What PyTorch makes of the same: `reference/linear.py`. */
const figures = JSON.parse(
  readFileSync(new URL("./reference/linear.json", import.meta.url), "utf8"),
) as {
  readonly dim: number;
  readonly classes: number;
  readonly rows: number;
  readonly batch: number;
  readonly epochs: number;
  readonly rate: number;
  readonly labels: readonly number[];
  readonly rates: readonly number[];
  readonly steps: readonly {
    readonly loss: number;
    readonly weight: GoldenArray;
    readonly bias: GoldenArray;
  }[];
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
};
const { dim, classes, rows } = figures;
const values = namedValues("linear.features", rows * dim, -2, 2);
const begun: LinearClassifier = {
  ...{ classes, dim },
  weight: namedValues("linear.weight", classes * dim),
  bias: namedValues("linear.bias", classes),
};

/** Rows `first` to `end - 1`. */
const batch = (first: number, end: number) => ({
  features: tf.tensor2d(values.slice(first * dim, end * dim), [end - first, dim]),
  labels: Int32Array.from(figures.labels.slice(first, end)),
});

onEveryBackend(
  () => {
    test("trains as PyTorch does, step by step, and is judged alike", async () => {
      const before = tf.memory().numTensors;
      const probe = linearProbe({ dim, classes });
      let state = probe.from(begun);
      let step = 0;
      for (let epoch = 0; epoch < figures.epochs; epoch++) {
        const rate = epochLearningRate(figures.rate, epoch, figures.epochs);
        expect(rate).toBeCloseTo(figures.rates[epoch] as number, 12);
        for (let first = 0; first < rows; first += figures.batch) {
          const some = batch(first, Math.min(rows, first + figures.batch));
          const next = probe.step(state, some, [rate]);
          state = next.state;
          const expected = figures.steps[step++];
          if (!expected) throw new Error("expected a step more");
          expectValues(await next.losses.data(), [expected.loss]);
          const { weight, bias } = await probe.classifier(state);
          expectValues(weight, decode(expected.weight));
          expectValues(bias, decode(expected.bias));
          tf.dispose([next.losses, some.features]);
        }
      }
      const source = { rows: values, dim, count: rows, labels: Int32Array.from(figures.labels) };
      const [judged] = await evaluateLinear(probe, state, source);
      expect(judged?.top1).toBeCloseTo(figures.top1, 9);
      expect(judged?.top5).toBeCloseTo(figures.top5, 9);
      expect(judged?.loss).toBeCloseTo(figures.loss, 4);
      tf.dispose(state);
      expect(tf.memory().numTensors).toBe(before);
    });

    test("trains several classifiers at once as by plain loops each", async () => {
      const rates = [0.1, 2, 0.5];
      const probe = linearProbe({ dim, classes, classifiers: 3, momentum: 0.8 });
      let state = probe.from(begun);
      const plain = rates.map((rate) => plainSgd(rate, 0.8));
      for (const [first, end] of [
        [0, 4],
        [4, 10],
        [2, 3],
      ] as const) {
        const some = batch(first, end);
        const next = probe.step(state, some, rates);
        state = next.state;
        expectValues(
          await next.losses.data(),
          plain.map((each) => each.step(first, end)),
        );
        tf.dispose([next.losses, some.features]);
      }
      for (const [i, each] of plain.entries()) {
        const { weight, bias } = await probe.classifier(state, i);
        expectValues(weight, each.weight);
        expectValues(bias, each.bias);
      }
      tf.dispose(state);
    });

    test("gives the logits of each classifier", async () => {
      const probe = linearProbe({ dim, classes, classifiers: 2 });
      const state = probe.from(begun);
      const { features } = batch(0, 2);
      const logits = probe.logits(state, features);
      expect(logits.shape).toEqual([2, 2, classes]);
      const found = await logits.data();
      expect(found.slice(0, classes)).toEqual(found.slice(classes, 2 * classes));
      expectValues(
        found.slice(0, classes),
        Array.from({ length: classes }, (_, c) => plainLogit(begun.weight, begun.bias, 0, c)),
      );
      tf.dispose([logits, features, state]);
    });
  },
  { waits: true },
);

/** A logit in float64. */
function plainLogit(
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  row: number,
  label: number,
): number {
  let sum = bias[label] as number;
  for (let i = 0; i < dim; i++) {
    sum += (values[row * dim + i] as number) * (weight[label * dim + i] as number);
  }
  return sum;
}

/** The same training in float64 loops. */
function plainSgd(rate: number, momentum: number) {
  const weight = Float64Array.from(begun.weight);
  const bias = Float64Array.from(begun.bias);
  const moved = { weight: new Float64Array(weight.length), bias: new Float64Array(classes) };
  return {
    weight,
    bias,
    step: (first: number, end: number): number => {
      const slope = { weight: new Float64Array(weight.length), bias: new Float64Array(classes) };
      let loss = 0;
      for (let row = first; row < end; row++) {
        const logits = Array.from({ length: classes }, (_, c) => plainLogit(weight, bias, row, c));
        const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
        const label = figures.labels[row] as number;
        loss -= Math.log(Math.exp(logits[label] as number) / sum) / (end - first);
        for (let c = 0; c < classes; c++) {
          const share = Math.exp(logits[c] as number) / sum - (c === label ? 1 : 0);
          slope.bias[c] = (slope.bias[c] as number) + share / (end - first);
          for (let i = 0; i < dim; i++) {
            const at = c * dim + i;
            slope.weight[at] =
              (slope.weight[at] as number) +
              (share * (values[row * dim + i] as number)) / (end - first);
          }
        }
      }
      for (const [name, params] of [["weight", weight] as const, ["bias", bias] as const]) {
        for (let i = 0; i < params.length; i++) {
          moved[name][i] = momentum * (moved[name][i] as number) + (slope[name][i] as number);
          params[i] = (params[i] as number) - rate * (moved[name][i] as number);
        }
      }
      return loss;
    },
  };
}

test("begins near nothing, at the same place for every classifier of a seed", async () => {
  const probe = linearProbe({ dim: 300, classes: 10, classifiers: 2 });
  const state = probe.init(random(key(3)));
  const one = await probe.classifier(state, 0);
  expect(await probe.classifier(state, 1)).toEqual(one);
  expect(one.bias).toEqual(new Float32Array(10));
  const deviation = Math.sqrt(one.weight.reduce((sum, x) => sum + x * x, 0) / 3000);
  expect(Math.abs(deviation - 0.01)).toBeLessThan(0.0006);
  tf.dispose(state);
});

test("keeps a classifier as it is", async () => {
  const probe = linearProbe({ dim, classes });
  const state = probe.from(begun);
  expect(await probe.classifier(state)).toEqual(begun);
  tf.dispose(state);
});

test.each<[string, () => unknown, string]>([
  [
    "a size of nothing",
    () => linearProbe({ dim, classes: 0 }),
    "classes: expected a whole number from 1, got 0",
  ],
  [
    "another classifier",
    () => linearProbe({ dim, classes: 9 }).from(begun),
    "classifier: expected 9 classes of 7 values, got 6 of 7",
  ],
  [
    "features of another length",
    () => withState((probe, state) => probe.logits(state, tf.zeros([2, 3]))),
    "features: expected shape [*, 7], got [2, 3]",
  ],
  [
    "labels that are missing",
    () =>
      withState((probe, state) =>
        probe.step(state, { features: tf.zeros([2, dim]), labels: Int32Array.of(0) }, [1]),
      ),
    "labels: expected 2, one for each row, got 1",
  ],
  [
    "a label too high",
    () =>
      withState((probe, state) =>
        probe.step(state, { features: tf.zeros([1, dim]), labels: Int32Array.of(6) }, [1]),
      ),
    "labels: expected classes from 0 to 5, got 6",
  ],
  [
    "too many learning rates",
    () =>
      withState((probe, state) =>
        probe.step(state, { features: tf.zeros([1, dim]), labels: Int32Array.of(0) }, [1, 2]),
      ),
    "learningRates: expected 1, one for each classifier, got 2",
  ],
])("says what is wrong with %s", (_, run, message) => {
  expect(run).toThrow(message);
});

function withState(
  use: (probe: ReturnType<typeof linearProbe>, state: LinearProbeState) => unknown,
): unknown {
  return tf.tidy(() => {
    const probe = linearProbe({ dim, classes });
    use(probe, probe.from(begun));
    return [];
  });
}
