import { expect, test } from "vitest";
import { layInRow, wholeOf } from "../src/rows-of-tensors.ts";

test("lays tensors where every adapter can bind them", () => {
  expect(layInRow([3, 64, 65, 1])).toEqual({ starts: [0, 64, 128, 256], length: 320 });
  expect(layInRow([])).toEqual({ starts: [], length: 0 });
});

test("knows a row by all its tensors in order, and by nothing else", () => {
  const row = { dataId: {}, shape: [192], dtype: "float32" as const };
  const [a, b] = [
    { whole: row, start: 0, size: 3 },
    { whole: row, start: 64, size: 70 },
  ];
  expect(wholeOf([a, b])).toBe(row);
  expect(wholeOf([b, a])).toBeUndefined();
  expect(wholeOf([a])).toBeUndefined();
  expect(wholeOf([a, undefined])).toBeUndefined();
  expect(wholeOf([])).toBeUndefined();
  expect(wholeOf([a, { ...b, whole: { ...row, dataId: {} } }])).toBeUndefined();
});
