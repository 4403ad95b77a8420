import * as api from "@dino/optimizers";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual([
    "adamW",
    "clipGradients",
    "gradientNorm",
    "gradientNorms",
    "isDecayed",
    "lars",
    "sgd",
  ]);
});
