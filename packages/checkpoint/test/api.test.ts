import * as api from "@dino/checkpoint";
import * as node from "@dino/checkpoint/node";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual([
    "CheckpointError",
    "backboneWeights",
    "decodeNpy",
    "encodeNpy",
    "encodeSafetensors",
    "httpSource",
    "isNumpyArray",
    "loadWeights",
    "nameMaps",
    "numpyGlobals",
    "openCheckpoint",
    "openPytorch",
    "openSafetensors",
    "pythonGlobals",
    "readPickle",
    "renameWeights",
    "selectWeights",
    "storedTensors",
    "streamPytorch",
    "streamSafetensors",
  ]);
  expect(Object.keys(node).sort()).toEqual([
    "hubFile",
    "hubModels",
    "openCheckpoint",
    "writePytorch",
    "writeSafetensors",
  ]);
});
