import { dinoHead, dinoNetwork } from "@dino/backbones";
import { resnet } from "@dino/backbones/resnet";
import { dinoLoss } from "@dino/loss";
import type { Params } from "@dino/ops";
import { sgd } from "@dino/optimizers";
import { expectClose, named, onEveryBackend } from "@dino/testing";
import { createTrainer, ema } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { cropsOf, parts } from "../src/micro-batch.ts";

const batch = 4;
const prototypes = 6;
const backbone = resnet({ block: "basic", blocks: [1, 1, 1, 1], width: 2 });
const head = dinoHead({
  inputs: backbone.embedDim,
  prototypes,
  hidden: 8,
  bottleneck: 4,
  batchNorm: true,
});
const network = dinoNetwork(backbone, head);

const crops = () => [
  named<tf.Tensor4D>("globals", [2 * batch, 40, 40, 3]),
  named<tf.Tensor4D>("locals", [3 * batch, 24, 24, 3]),
];

function trainerOf(microBatch?: number) {
  return createTrainer({
    network,
    loss: dinoLoss({ prototypes }),
    optimizer: sgd(),
    teacher: ema(() => 0.5),
    learningRate: () => 0.1,
    weightDecay: () => 0,
    teacherTemperature: () => 0.04,
    seed: 0,
    ...(microBatch !== undefined && { microBatch }),
  });
}

/** The statistics after passes of the network over some crops, each going on from the one before. */
function after(params: Params, passes: readonly (readonly tf.Tensor4D[])[]): Params {
  const latest: Record<string, tf.Tensor> = {};
  for (const some of passes) {
    const updates: Record<string, tf.Tensor> = {};
    network.forward({ ...params, ...latest }, some, {
      onBuffers: (told) => {
        for (const [name, value] of Object.entries(told)) updates[name] = tf.keep(tf.clone(value));
      },
    });
    Object.assign(latest, updates);
  }
  return latest;
}

function expectStatistics(actual: Params, expected: Params): void {
  expect(Object.keys(expected).sort()).toEqual([...network.buffers].sort());
  for (const [name, value] of Object.entries(expected)) {
    expectClose(actual[name] as tf.Tensor, value.dataSync());
  }
}

onEveryBackend(() => {
  test.each([undefined, 2, 3])("statistics of a batch, %s pictures at once", (microBatch) => {
    const trainer = trainerOf(microBatch);
    const begun = Object.fromEntries(
      Object.entries(trainer.student).map(([name, value]) => [name, tf.clone(value)]),
    );
    const pieces = parts(batch, microBatch ?? batch);
    const seen = pieces.map((part) => crops().map((group) => cropsOf(group, batch, part)));
    trainer.train(crops());
    expectStatistics(trainer.student, after(begun, seen));
    // Every size is a pass of its own through the backbone.
    const count = (name: string) => trainer.student[name]?.dataSync()[0];
    expect(count("backbone.bn1.num_batches_tracked")).toBe(2 * pieces.length);
    expect(count("head.mlp.1.num_batches_tracked")).toBe(pieces.length);

    // The teacher sees all global crops at once, and keeps statistics of its own.
    expectStatistics(trainer.teacher, after(begun, [crops().slice(0, 1)]));
    trainer.dispose();
  });

  test("leaves no tensor behind", async () => {
    const run = (trainer: ReturnType<typeof trainerOf>) => {
      trainer.train(crops());
      return trainer.metrics();
    };
    await run(trainerOf(2)); // registers kernels
    const before = tf.memory().numTensors;
    const trainer = trainerOf(2);
    const numbers: number[] = [];
    for (let i = 0; i < 3; i++) {
      await run(trainer);
      numbers.push(tf.memory().numTensors);
    }
    expect(numbers[2]).toBe(numbers[1]);
    trainer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
