import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { onNullAdapter } from "./null-adapter.ts";

onNullAdapter();

test("tells of a lost device at the next reading, and starts on another one", async () => {
  const { device } = tf.backend() as unknown as { readonly device: GPUDevice };
  const kept = tf.add(tf.ones([2]), 1);
  await kept.data();
  const lost = tf.add(kept, 1);
  device.destroy();
  await expect(lost.data()).rejects.toThrow("WebGPU: the device was lost");

  expect(await tf.setBackend("webgpu")).toBe(true);
  expect((tf.backend() as unknown as { readonly device: GPUDevice }).device).not.toBe(device);
  const fresh = tf.add(tf.ones([2]), 1);
  expect(await fresh.data()).toHaveLength(2);
  tf.dispose([kept, lost, fresh]);
});
