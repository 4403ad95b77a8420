import "@dino/ops/gradients";
import { type Backbone, dinoHead, dinoNetwork, type HeadOptions } from "@dino/backbones";
import { resnet } from "@dino/backbones/resnet";
import { vit } from "@dino/backbones/vit";
import { dinoLoss } from "@dino/loss";
import { imageTensor } from "@dino/ops";
import { adamW } from "@dino/optimizers";
import { createTrainer, ema, type Trainer } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import type { CallCounts } from "../src/count-calls.ts";
import { onNullAdapter } from "./null-adapter.ts";

/** Pictures of one step: two global crops and eight local ones of one picture. */
const sizes = [
  { views: 2, size: 224 },
  { views: 8, size: 96 },
];
const pictureBytes = sizes.reduce((sum, { views, size }) => sum + 3 * views * size ** 2, 0);

onNullAdapter();

test("a step of a ResNet takes our kernels, within eight buffers a shader", async () => {
  const backbone = resnet({ block: "basic", blocks: [2, 2, 2, 2], width: 8 });
  const trainer = trainerOf(backbone, { prototypes: 64, hidden: 32, bottleneck: 16 });
  const { countCalls } = await import("../src/count-calls.ts");
  let counts: CallCounts | undefined;
  for (let step = 0; step < 4; step++) {
    const counting = countCalls();
    trainer.train([2, 6].map((views, i) => tf.zeros([2 * views, 64 >> i, 64 >> i, 3])));
    counts = counting.stop();
    await trainer.metrics(); // which would throw if the device had refused a command
  }
  trainer.dispose();
  expect(counts?.dispatches).toBeLessThanOrEqual(800);
  // Its running statistics take the places of those before them, so a few bind groups are still new.
  expect(counts?.bindGroups).toBeLessThanOrEqual(90);
  expect(counts?.buffers).toBeLessThanOrEqual(20);
});

test("a step of a Vision Transformer is few dispatches, and uploads its pictures alone", async () => {
  const backbone = vit("tiny");
  const trainer = trainerOf(backbone, { prototypes: 4096 });
  const { countCalls } = await import("../src/count-calls.ts");
  let counts: CallCounts | undefined;
  for (let step = 0; step < 4; step++) {
    const counting = countCalls();
    const crops = sizes.map(({ views, size }) =>
      imageTensor(new Uint8Array(3 * views * size * size), [views, size, size]),
    );
    trainer.train(crops);
    counts = counting.stop();
    await trainer.metrics(); // which would throw if the device had refused a command
  }
  trainer.dispose();
  // Buffers and bind groups come again; those of stock kernels and of new scalars do not.
  // On eight buffers a shader, the fewest that there are; with more it is a few less.
  expect(counts?.dispatches).toBeLessThanOrEqual(540);
  expect(counts?.bindGroups).toBeLessThanOrEqual(25);
  expect(counts?.buffers).toBeLessThanOrEqual(15);
  expect(counts?.uploadedBytes).toBeGreaterThanOrEqual(pictureBytes);
  expect(counts?.uploadedBytes).toBeLessThanOrEqual(pictureBytes + 16_384);
});

function trainerOf(backbone: Backbone, sizes: Omit<HeadOptions, "inputs">): Trainer {
  const head = dinoHead({ inputs: backbone.embedDim, ...sizes });
  return createTrainer({
    network: dinoNetwork(backbone, head),
    loss: dinoLoss({ prototypes: sizes.prototypes }),
    optimizer: adamW(),
    teacher: ema(() => 0.996),
    learningRate: () => 1e-4,
    weightDecay: () => 0.04,
    teacherTemperature: () => 0.04,
    clipNorm: 3,
    freezeLastLayer: 0,
    seed: 0,
  });
}
