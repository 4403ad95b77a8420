import { evaluateLinear, linearProbe } from "@dino/evaluation";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { features } from "./sets.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** A classifier whose logits are the feature itself. */
function mirror(classes: number) {
  const probe = linearProbe({ dim: classes, classes });
  const weight = Float32Array.from({ length: classes * classes }, (_, i) =>
    i % (classes + 1) === 0 ? 1 : 0,
  );
  return {
    probe,
    state: probe.from({ classes, dim: classes, weight, bias: new Float32Array(classes) }),
  };
}

test("counts the first and the first five classes, equals by their number", async () => {
  const { probe, state } = mirror(7);
  const set = features(
    [
      [9, 8, 7, 6, 5, 4, 3], // 0 first, 4 fifth, 5 sixth
      [9, 8, 7, 6, 5, 4, 3],
      [9, 8, 7, 6, 5, 4, 3],
      [1, 1, 1, 1, 1, 1, 1], // all equal: 0 first
    ],
    [0, 4, 5, 1],
  );
  const before = tf.memory().numTensors;
  const [figures] = await evaluateLinear(probe, state, set);
  expect(tf.memory().numTensors).toBe(before);
  expect(figures).toMatchObject({ top1: 25, top5: 75, predicted: Int32Array.of(0, 0, 0, 0) });
  const sum = [9, 8, 7, 6, 5, 4, 3].reduce((total, logit) => total + Math.exp(logit), 0);
  const expected = (Math.log(sum) * 3 - 9 - 5 - 4 + Math.log(7)) / 4;
  expect(figures?.loss).toBeCloseTo(expected, 5);
  tf.dispose(state);
});

test("tells no first five below five classes", async () => {
  const { probe, state } = mirror(3);
  const [figures] = await evaluateLinear(probe, state, features([[1, 0, 0]]));
  expect(figures).toMatchObject({ top1: 100, top5: undefined });
  tf.dispose(state);
});

test("a classifier that is no longer one is right about nothing", async () => {
  const { probe, state } = mirror(6);
  const broken = { ...state, bias: tf.fill<tf.Rank.R1>([6], Number.NaN) };
  const [figures] = await evaluateLinear(probe, broken, features([[1, 0, 0, 0, 0, 0]]));
  expect(figures).toMatchObject({ top1: 0, top5: 0 });
  tf.dispose([broken.bias, ...Object.values(state)]);
});

test("says what is wrong with features, and stops when it is told to", async () => {
  const { probe, state } = mirror(3);
  await expect(evaluateLinear(probe, state, features([[1, 2]]))).rejects.toThrow(
    "features: expected rows of 3 values as in the classifier, got 2",
  );
  await expect(evaluateLinear(probe, state, features([[1, 2, 3]], [3]))).rejects.toThrow(
    "features: expected classes below 3, got 3 for row 0",
  );
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(evaluateLinear(probe, state, features([[1, 2, 3]]), { signal })).rejects.toThrow(
    "enough",
  );
  tf.dispose(state);
});
