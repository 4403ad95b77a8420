import * as api from "@dino/backend-native";
import { expect, test } from "vitest";

test("exports what it promises, and nothing else", () => {
  expect(Object.keys(api).sort()).toEqual([
    "engine",
    "fmaPeakGflops",
    "registerNativeBackend",
    "setThreads",
  ]);
});
