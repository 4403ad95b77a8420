import { kaimingNormal, truncatedNormal, uniform } from "@dino/ops";
import { key, random } from "@dino/random";
import type * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const shape = [40, 50];

test.each([
  ["truncatedNormal", 0.02, () => truncatedNormal(random(key(1)), shape)],
  ["truncatedNormal, wide", 0.5, () => truncatedNormal(random(key(1)), shape, 0.5)],
  ["kaimingNormal", 0.5, () => kaimingNormal(random(key(1)), shape, 8)],
  ["uniform", 0.1 / Math.sqrt(3), () => uniform(random(key(1)), shape, 0.1)],
] as const)("%s has a mean of 0 and the standard deviation %f", (_, std, make) => {
  const x: tf.Tensor = make();
  expect(x.shape).toEqual(shape);
  const values = Float32Array.from(x.dataSync());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.1 * std);
  expect(Math.sqrt(variance) / std).toBeCloseTo(1, 1);
  // The same key, the same values.
  expect(Float32Array.from(make().dataSync())).toEqual(values);
});

test("a normal distribution is cut at the absolute values -2 and 2", () => {
  const values = truncatedNormal(random(key(2)), shape, 2).dataSync();
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(2);
});
