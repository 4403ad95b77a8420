import { epochOrder, viewKey } from "@dino/data";
import { fold, key, random } from "@dino/random";
import { expect, test } from "vitest";

test("an epoch's order is a permutation that its seed and number fix", () => {
  const order = epochOrder({ seed: 3, epoch: 2, length: 50 });
  expect(order).toEqual(random(fold(key(3), 0, 2)).permutation(50));
  expect([...order].sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
  expect(order).not.toEqual(epochOrder({ seed: 3, epoch: 3, length: 50 }));
  expect(order).not.toEqual(epochOrder({ seed: 4, epoch: 2, length: 50 }));
});

test("a picture's views are keyed by seed, epoch and index", () => {
  expect(viewKey({ seed: 3, epoch: 2, index: 7 })).toEqual(fold(key(3), 1, 2, 7));
});
