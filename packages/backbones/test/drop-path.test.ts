import { key } from "@dino/random";
import { expectValues } from "@dino/testing";
import { expect, test } from "vitest";
import { dropRates, pathScale } from "../src/vit/drop-path.ts";

const segments = [
  { sequences: 4000, tokens: 5 },
  { sequences: 6000, tokens: 3 },
];
const branch = { block: 1, half: "attention", rate: 0.3 } as const;

test("the rate rises evenly from the first block, which drops nothing, to the last", () => {
  const expected = [
    0, 0.009091, 0.018182, 0.027273, 0.036364, 0.045455, 0.054545, 0.063636, 0.072727, 0.081818,
    0.090909, 0.1,
  ];
  expectValues(dropRates(0.1, 12), expected, 1e-5);
  expect(dropRates(0.1, 1)).toEqual([0]);
});

test("keeps the mean: what is not dropped is scaled up", () => {
  const values = pathScale(branch, segments, { key: key(1) })?.dataSync() as Float32Array;
  expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  expect(Math.abs(mean - 1)).toBeLessThan(0.03);
});

test("draws differently for every block, half and size of crops", () => {
  const mode = { key: key(1) };
  const text = (values: Float32Array | undefined) => values?.subarray(0, 100).join();
  const scale = (other: Partial<typeof branch | { half: "mlp"; block: number }>) =>
    pathScale({ ...branch, ...other }, segments, mode)?.dataSync() as Float32Array;
  const first = scale({});
  const draws = [first, first.subarray(4000), scale({ half: "mlp" }), scale({ block: 2 })].map(
    text,
  );
  expect(new Set(draws).size).toBe(4);
});

test("is nothing in evaluation, without a key, and at a rate of 0", () => {
  expect(pathScale(branch, segments, undefined)).toBeUndefined();
  expect(pathScale(branch, segments, {})).toBeUndefined();
  expect(pathScale({ ...branch, rate: 0 }, segments, { key: key(1) })).toBeUndefined();
});

test("refuses crops that are not of the pictures that a part has", () => {
  const part = { first: 0, count: 3, batch: 6 };
  expect(() => pathScale(branch, segments, { key: key(1), part })).toThrow(
    "crops: expected a multiple of 3 pictures, got 4000",
  );
});
