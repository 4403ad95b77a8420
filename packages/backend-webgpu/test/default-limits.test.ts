import { gelu, layerNorm, linear, squaredNormOfAll } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { onNullAdapter } from "./null-adapter.ts";

onNullAdapter();

test("takes more groups than an axis has, on an adapter that has no more than any", async () => {
  const { limits } = (tf.backend() as unknown as { readonly device: GPUDevice }).device;
  expect(limits).toMatchObject({
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupsPerDimension: 65535,
  });
  const rows = 70_000; // a group each where rows are normalised
  const x = tf.zeros<tf.Rank.R2>([rows, 8]);
  const [weight, bias] = [tf.ones<tf.Rank.R1>([8]), tf.zeros<tf.Rank.R1>([8])];
  const square = tf.ones<tf.Rank.R2>([8, 8]);
  const wide = tf.zeros([64 * rows]); // 64 elements a group
  const many = Array.from({ length: 20 }, () => bias);
  const results = [
    layerNorm(x, weight, bias),
    linear(x, square, bias, { activation: "gelu" }),
    gelu(wide),
    squaredNormOfAll([x, wide, square, ...many]),
  ];
  // Reading throws if the device has refused a command.
  for (const result of results) expect(await result.data()).toHaveLength(result.size);
  tf.dispose([x, weight, bias, square, wide, results]);
});
