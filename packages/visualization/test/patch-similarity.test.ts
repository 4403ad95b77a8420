import { expectValues } from "@dino/testing";
import { heatmap, patchAt, patchSimilarity, viridis } from "@dino/visualization";
import { expect, test } from "vitest";
import { pixel } from "./pictures.ts";

const grid = { rows: 2, columns: 3, patchSize: 4 };
const tokens = { ...grid, dim: 2, values: Float32Array.of(1, 0, 2, 0, 0, 3, -1, 0, 1, 1, 0, 0) };

test("is the cosine of two tokens", () => {
  expectValues(patchSimilarity(tokens, 0), [1, 1, 0, -1, Math.SQRT1_2, 0], 1e-7);
  const other = { rows: 1, columns: 1, patchSize: 4, dim: 2, values: Float32Array.of(3, 4) };
  expectValues(patchSimilarity(tokens, 4, other), [7 / 5 / Math.SQRT2], 1e-7);
});

test("finds the patch of a point", () => {
  expect(patchAt(grid, { x: 0, y: 0 })).toBe(0);
  expect(patchAt(grid, { x: 11.9, y: 3.9 })).toBe(2);
  expect(patchAt(grid, { x: 4, y: 7 })).toBe(4);
});

test("draws several maps on one scale", () => {
  const drawn = heatmap([0, 0.5, 1, 0, 0, 2], { ...grid, range: [-1, 1] });
  expect(pixel(drawn, 0, 0)).toEqual([...viridis(0.5)]);
  expect(pixel(drawn, 5, 0)).toEqual([...viridis(0.75)]);
  expect(pixel(drawn, 11, 7)).toEqual([...viridis(1)]);
});

test("says what does not fit together", () => {
  expect(() => patchAt(grid, { x: 12, y: 0 })).toThrow(
    "point: expected a pixel within 12 x 8, got 12, 0",
  );
  expect(() => patchAt(grid, { x: -1, y: 0 })).toThrow("got -1, 0");
  expect(() => patchSimilarity(tokens, 6)).toThrow("patch: expected an integer from 0 to 5, got 6");
  expect(() => patchSimilarity(tokens, 0, { ...tokens, dim: 3 })).toThrow(
    "among: expected 2 x 3 tokens of 3 values, got 12 values",
  );
  expect(() => patchSimilarity(tokens, 0, { ...tokens, columns: 2, dim: 3 })).toThrow(
    "among: expected tokens of 2 values, got 3",
  );
});
