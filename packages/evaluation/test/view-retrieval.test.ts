import { viewRetrieval } from "@dino/evaluation";
import { namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { features } from "./sets.ts";

const count = 40;
const dim = 16;
const pictures = set(namedValues("views", count * dim));
const noise = namedValues("noise", count * dim);

function set(rows: Float32Array) {
  return { rows, dim, count, labels: new Int32Array(count).fill(-1) };
}

function disturbed(by: number) {
  return set(pictures.rows.map((value, i) => value + by * (noise[i] as number)));
}

onEveryBackend(
  () => {
    test("finds every picture again that is hardly disturbed, without any label", async () => {
      expect(await viewRetrieval(disturbed(0.1), pictures)).toBe(100);
    });

    test("finds fewer the more they are disturbed, and leaks no tensors", async () => {
      const before = tf.memory().numTensors;
      const found = [];
      for (const by of [1, 3, 30]) found.push(await viewRetrieval(disturbed(by), pictures));
      expect(found).toEqual(found.toSorted((a, b) => b - a));
      expect(found[2]).toBeLessThan(20);
      expect(tf.memory().numTensors).toBe(before);
    });
  },
  { waits: true },
);

test("counts the views whose own picture is the most similar", async () => {
  const a = features([
    [1, 0],
    [0, 1],
    [1, 1],
    [1, 0.1],
  ]);
  const b = features([
    [2, 0],
    [1, 0],
    [3, 3],
    [0, 1],
  ]);
  expect(await viewRetrieval(a, b)).toBe(50);
});

test("is next to nothing for features that have collapsed", async () => {
  const same = set(new Float32Array(count * dim).fill(1));
  expect(await viewRetrieval(same, same)).toBe(100 / count);
});

test("says what is wrong", async () => {
  const one = features([[1, 2]]);
  await expect(
    viewRetrieval(pictures, {
      ...pictures,
      count: 39,
      rows: pictures.rows.subarray(dim),
      labels: new Int32Array(39),
    }),
  ).rejects.toThrow("b: expected 40 views as in a, got 39");
  await expect(viewRetrieval(pictures, one)).rejects.toThrow(
    "b: expected rows of 16 values as in a, got 2",
  );
});
