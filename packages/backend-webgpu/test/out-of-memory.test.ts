import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import { onNullAdapter } from "./null-adapter.ts";

onNullAdapter();

// What was refused once is told ever after.
afterEach(() => {
  const { registry } = tf.engine();
  for (const name of ["webgpu", "webgpu-stock"]) {
    registry[name]?.dispose();
    delete registry[name];
  }
});

/** As much as the adapter has, in tensors that it would take one by one. */
const compute = () =>
  tf.tidy(() => {
    const parts = Array.from({ length: 6 }, () => tf.fill([100, 1000, 250], 1));
    return tf.sum(tf.addN(parts));
  });

test("says what was asked for when the device has no memory left", async () => {
  await tf.setBackend("webgpu");
  await expect(compute().data()).rejects.toThrow(
    /^WebGPU: out of memory: expected room for 6\d\d MB in buffers, the last of 100 MB; take a smaller batch or model$/,
  );
});

test("says so for tfjs's own kernels too, which would go on with zeros", async () => {
  await tf.setBackend("webgpu-stock");
  await expect(compute().data()).rejects.toThrow("WebGPU: out of memory");
});
