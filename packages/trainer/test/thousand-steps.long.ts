import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { dinoLoss } from "@dino/loss";
import { adamW } from "@dino/optimizers";
import { named, onEveryBackend } from "@dino/testing";
import { createTrainer, ema } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

onEveryBackend(() => {
  test("a thousand steps leave no tensor and no byte behind", { timeout: 600_000 }, async () => {
    const before = tf.memory();
    const backbone = vit({ embedDim: 12, depth: 2, heads: 3, patchSize: 8, imageSize: 16 });
    const trainer = createTrainer({
      network: dinoNetwork(backbone, dinoHead({ inputs: 12, prototypes: 8, hidden: 8 })),
      loss: dinoLoss({ prototypes: 8 }),
      optimizer: adamW(),
      teacher: ema(() => 0.99),
      learningRate: () => 1e-4,
      weightDecay: () => 0.04,
      teacherTemperature: () => 0.04,
      seed: 0,
    });
    let settled = { numTensors: 0, numBytes: 0 };
    for (let step = 1; step <= 1000; step++) {
      trainer.train([named("global", [4, 16, 16, 3]), named("local", [4, 8, 8, 3])]);
      if (step % 10 === 0) await trainer.metrics();
      const { numTensors, numBytes } = tf.memory();
      if (step === 10) settled = { numTensors, numBytes };
    }
    const { numTensors, numBytes } = tf.memory();
    expect({ numTensors, numBytes }).toEqual(settled);
    trainer.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
  });
});
