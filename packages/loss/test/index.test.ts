import * as api from "@dino/loss";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual([
    "batchSoftmax",
    "centerSharpen",
    "dinoLoss",
    "sinkhorn",
  ]);
});
