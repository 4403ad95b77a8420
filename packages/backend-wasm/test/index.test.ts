import * as api from "@dino/backend-wasm";
import { expect, test } from "vitest";

test("exports what it promises, and nothing else", () => {
  expect(Object.keys(api).sort()).toEqual([
    "hostInstructions",
    "hostThreads",
    "installKernels",
    "withSharedMemory",
  ]);
});
