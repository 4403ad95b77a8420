import * as api from "@dino/visualization";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual([
    "classAttention",
    "colorHeads",
    "confusionChart",
    "contactSheet",
    "decodeLabelPng",
    "encodeLabelPng",
    "encodePng",
    "heatmap",
    "inferno",
    "lineChart",
    "maskOverlay",
    "massMask",
    "normalize",
    "overlay",
    "palette",
    "patchAt",
    "patchPca",
    "patchSimilarity",
    "patchTokens",
    "pcaColors",
    "toTensor",
    "upsample",
    "viridis",
  ]);
});
