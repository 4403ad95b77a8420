import { joinFeatures } from "@dino/evaluation";
import { expect, test } from "vitest";
import { features } from "./sets.ts";

test("has one set after the other, and one alone as it is", () => {
  const first = features([[1, 2]], [3]);
  const second = features(
    [
      [4, 5],
      [6, 7],
    ],
    [8, -1],
  );
  expect(joinFeatures([first])).toBe(first);
  expect(joinFeatures([first, second])).toEqual({
    rows: Float32Array.of(1, 2, 4, 5, 6, 7),
    dim: 2,
    count: 3,
    labels: Int32Array.of(3, 8, -1),
  });
});

test("says which set is another's, or that there is none", () => {
  expect(() => joinFeatures([features([[1]]), features([[1, 2]])])).toThrow(
    "parts[1]: expected rows of 1 values as in parts[0], got 2",
  );
  expect(() => joinFeatures([])).toThrow("parts: expected at least one, got none");
});
