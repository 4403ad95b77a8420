import { namedValues } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { nearest } from "../src/nearest.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const [count, dim] = [50, 8];
const rows = {
  rows: namedValues("nearest", count * dim),
  dim,
  count,
  labels: new Int32Array(count),
};

test.each([false, true])(
  "finds the same for some queries after others, without itself: %j",
  async (excludeSelf) => {
    const options = { k: 4, excludeSelf };
    const whole = await nearest(rows, rows, options);
    const progress: number[] = [];
    const parts = await nearest(rows, rows, {
      ...options,
      queryBytes: 7 * (4 * dim + 8 * 4), // seven queries at a time
      onProgress: ({ done, total }) => progress.push(done / total),
    });
    expect(parts).toEqual(whole);
    expect(whole.indices.filter((index, i) => index === Math.floor(i / 4)).length).toBe(
      excludeSelf ? 0 : count,
    );
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress).toHaveLength(8);
    expect(progress.at(-1)).toBe(1);
  },
);
