import "@dino/ops/gradients";
import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { dinoLoss } from "@dino/loss";
import { adamW } from "@dino/optimizers";
import { createTrainer, ema } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { create, globals } from "webgpu";
import type { CallCounts } from "../src/count-calls.ts";

/** Pictures of one step: two global crops and eight local ones of one picture. */
const sizes = [
  { views: 2, size: 224 },
  { views: 8, size: 96 },
];
const pictureBytes = sizes.reduce((sum, { views, size }) => sum + 4 * 3 * views * size ** 2, 0);

// Dawn's null adapter checks every command and computes nothing, in 512 MB.
const gpu = create(["backend=null"]);

beforeAll(async () => {
  Object.assign(globalThis, globals);
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  const { registerWebgpuBackend } = await import("../src/register.ts");
  const { DinoWebGPUBackend } = await import("../src/webgpu-backend.ts");
  registerWebgpuBackend();
  const usual = tf.findBackendFactory("webgpu");
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error("adapter: expected Dawn's null adapter, got none");
  const device = await adapter.requestDevice();
  tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => new DinoWebGPUBackend(device as never));
  expect(await tf.setBackend("webgpu")).toBe(true);
  return async () => {
    tf.removeBackend("webgpu"); // and its tensors with it
    tf.registerBackend("webgpu", usual);
    if (before) Object.defineProperty(globalThis, "navigator", before);
  };
});

test("a step of a Vision Transformer is few dispatches, and uploads its pictures alone", async () => {
  const backbone = vit("tiny");
  const head = dinoHead({ inputs: backbone.embedDim, prototypes: 4096 });
  const trainer = createTrainer({
    network: dinoNetwork(backbone, head),
    loss: dinoLoss({ prototypes: 4096 }),
    optimizer: adamW(),
    teacher: ema(() => 0.996),
    learningRate: () => 1e-4,
    weightDecay: () => 0.04,
    teacherTemperature: () => 0.04,
    clipNorm: 3,
    freezeLastLayer: 0,
    seed: 0,
  });
  const { countCalls } = await import("../src/count-calls.ts");
  let counts: CallCounts | undefined;
  for (let step = 0; step < 4; step++) {
    const crops = sizes.map(({ views, size }) =>
      tf.tensor4d(new Float32Array(views * size * size * 3), [views, size, size, 3]),
    );
    const counting = countCalls();
    trainer.train(crops);
    counts = counting.stop();
    await trainer.metrics(); // which would throw if the device had refused a command
  }
  trainer.dispose();
  // Buffers and bind groups come again; those of stock kernels and of new scalars do not.
  expect(counts?.dispatches).toBeLessThanOrEqual(890);
  expect(counts?.bindGroups).toBeLessThanOrEqual(80);
  expect(counts?.buffers).toBeLessThanOrEqual(30);
  expect(counts?.uploadedBytes).toBeGreaterThanOrEqual(pictureBytes);
  expect(counts?.uploadedBytes).toBeLessThanOrEqual(pictureBytes + 8192);
});
