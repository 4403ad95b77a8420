import * as api from "@dino/backbones";
import * as resnet from "@dino/backbones/resnet";
import * as testing from "@dino/backbones/testing";
import * as vit from "@dino/backbones/vit";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual(["dinoHead", "dinoNetwork"]);
  expect(Object.keys(vit).sort()).toEqual([
    "positionsFor",
    "resizePositions",
    "usualHeadWidth",
    "vit",
    "vitOfData",
    "vitOfShapes",
    "vitSizes",
  ]);
  expect(Object.keys(resnet).sort()).toEqual(["resnet", "resnetLayers", "resnetSizes"]);
  expect(Object.keys(testing)).toEqual(["backboneCases"]);
});
