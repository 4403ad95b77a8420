import * as api from "@dino/trainer";
import { expect, test } from "vitest";

test("exports these names and no others", () => {
  expect(Object.keys(api).sort()).toEqual([
    "DeviceLostError",
    "NonFiniteLossError",
    "bytesPerPicture",
    "copy",
    "createTrainer",
    "ema",
    "fittingMicroBatch",
    "flattenState",
    "previousEpoch",
    "previousIteration",
    "surviveDeviceLoss",
    "train",
    "unflattenState",
    "watchDevice",
  ]);
});
