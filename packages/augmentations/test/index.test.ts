import * as api from "@dino/augmentations";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual([
    "applyView",
    "applyViews",
    "brightness",
    "centerCrop",
    "contrast",
    "crop",
    "cropBlocks",
    "evaluationView",
    "flip",
    "gaussianBlur",
    "greyscale",
    "hue",
    "multiCrop",
    "randomResizedCrop",
    "resize",
    "resizeShortSide",
    "sampleBilinear",
    "sampleCrop",
    "saturation",
    "solarize",
    "thumbnail",
    "viewTensors",
    "writeView",
  ]);
});
