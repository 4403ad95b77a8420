import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { multiCrop } from "../../augmentations/src/multi-crop.ts";
import { viewTensors } from "../../augmentations/src/view-tensors.ts";
import { key } from "../../random/src/key.ts";
import { onNullAdapter } from "./null-adapter.ts";

onNullAdapter();

test("the crops of a batch are ten dispatches, and upload its pictures once", async () => {
  const { countCalls } = await import("../src/count-calls.ts");
  const policy = multiCrop();
  const picture = { width: 320, height: 240, data: new Uint8Array(3 * 320 * 240) };
  const batch = Array.from({ length: 4 }, (_, i) => ({
    picture,
    views: policy.sample(picture, key(i)),
  }));
  const run = async () => {
    const counting = countCalls();
    const crops = viewTensors(batch, policy.groups);
    const counts = counting.stop();
    await crops[0]?.data(); // which would throw if the device had refused a command
    for (const each of crops) each.dispose();
    return counts;
  };
  await run(); // the tables of hue are uploaded once
  const { dispatches, uploadedBytes } = await run();
  expect(dispatches).toBe(10);
  const bytes = batch.length * picture.data.length;
  expect(uploadedBytes).toBeGreaterThanOrEqual(bytes);
  // Beside them what each crop is made by: mostly the weights that its two axes are resized by.
  expect(uploadedBytes).toBeLessThanOrEqual(bytes + 1_500_000);

  // With room for two of them the four are uploaded in halves, and joined: two more dispatches.
  Object.defineProperty(tf.backend(), "mostBytes", { value: 2 * picture.data.length });
  const halves = await run();
  expect(halves.dispatches).toBe(22);
  expect(halves.uploadedBytes).toBeGreaterThanOrEqual(bytes);
  expect(halves.uploadedBytes).toBeLessThanOrEqual(bytes + 1_500_000);
});
