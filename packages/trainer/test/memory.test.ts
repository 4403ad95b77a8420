import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { bytesPerPicture, fittingMicroBatch } from "@dino/trainer";
import "@dino/testing"; // the cpu backend
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const backbone = vit("small", { patchSize: 16 });
const network = dinoNetwork(backbone, dinoHead({ inputs: 384, prototypes: 65536 }));
const batch = 32;
const crops = [
  tf.zeros([2 * batch, 224, 224, 3]),
  tf.zeros([8 * batch, 96, 96, 3]),
] as tf.Tensor4D[];
const gibibyte = 2 ** 30;

test("a picture through ViT-S/16 with ten crops takes some hundred megabytes", () => {
  const bytes = bytesPerPicture(network, crops, batch);
  expect(bytes).toBeGreaterThan(0.1 * gibibyte);
  expect(bytes).toBeLessThan(0.6 * gibibyte);
});

test("as many pictures at once as fit, and at least one", () => {
  expect(fittingMicroBatch(network, crops, batch)).toBe(batch);
  expect(fittingMicroBatch(network, crops, batch, 1000 * gibibyte)).toBe(batch);
  expect(fittingMicroBatch(network, crops, batch, 0.1 * gibibyte)).toBe(1);
  const some = fittingMicroBatch(network, crops, batch, 4 * gibibyte);
  expect(some).toBeGreaterThan(1);
  expect(some).toBeLessThan(batch);
});
