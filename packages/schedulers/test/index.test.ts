import * as api from "@dino/schedulers";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual([
    "chain",
    "constant",
    "cosine",
    "linear",
    "teacherTemperature",
    "warmupCosine",
  ]);
});
