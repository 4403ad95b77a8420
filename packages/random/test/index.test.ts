import * as api from "@dino/random";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual(["fold", "key", "philox4x32", "random"]);
});
