import * as api from "@dino/checkpoint";
import * as node from "@dino/checkpoint/node";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual([
    "CheckpointError",
    "decodeNpy",
    "encodeNpy",
    "encodeSafetensors",
    "httpSource",
    "isNumpyArray",
    "loadWeights",
    "numpyGlobals",
    "openCheckpoint",
    "openPytorch",
    "openSafetensors",
    "pythonGlobals",
    "readPickle",
    "streamSafetensors",
  ]);
  expect(Object.keys(node).sort()).toEqual(["openCheckpoint", "writeSafetensors"]);
});
