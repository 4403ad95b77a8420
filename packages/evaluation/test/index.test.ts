import * as api from "@dino/evaluation";
import { expect, test } from "vitest";

test("exports what it promises", () => {
  expect(Object.keys(api).sort()).toEqual([
    "extractFeatures",
    "knn",
    "knnLeaveOneOut",
    "viewRetrieval",
  ]);
});
