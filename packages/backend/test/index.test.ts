import * as api from "@dino/backend";
import { expect, test } from "vitest";

test("exports what it promises", () => {
  expect(Object.keys(api).sort()).toEqual([
    "BackendError",
    "activeBackend",
    "describeEngines",
    "lacking",
    "registerEngine",
    "startBackend",
  ]);
});
