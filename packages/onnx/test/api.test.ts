import * as api from "@dino/onnx";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual(["resnetToOnnx", "vitToOnnx"]);
});
