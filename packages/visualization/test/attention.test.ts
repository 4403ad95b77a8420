import { expectClose, onEveryBackend } from "@dino/testing";
import { classAttention, toTensor } from "@dino/visualization";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { noise } from "./pictures.ts";

onEveryBackend(() => {
  test("takes the class token's row, without itself, head by head", async () => {
    const size = 1 + 2 * 3;
    const values = Float32Array.from({ length: 2 * size * size }, (_, i) => i / 1000);
    const selfAttention = tf.tensor4d(values, [1, 2, size, size]);
    const before = tf.memory().numTensors;
    const attention = await classAttention(
      selfAttention,
      { width: 29, height: 23 },
      { patchSize: 9 },
    );
    expect(tf.memory().numTensors).toBe(before);
    expect(attention).toEqual({
      heads: 2,
      rows: 2,
      columns: 3,
      patchSize: 9,
      maps: [values.slice(1, 7), values.slice(50, 56)],
      mean: Float32Array.from([1, 2, 3, 4, 5, 6], (_, i) => {
        return ((values[1 + i] as number) + (values[50 + i] as number)) / 2;
      }),
    });
    const row = tf.slice(selfAttention, [0, 0, 0, 0], [1, 2, 1, size]);
    const picture = { width: 29, height: 23 };
    expect(await classAttention(row, picture, { patchSize: 9 })).toEqual(attention);
    tf.dispose([selfAttention, row]);
  });

  test("makes of a picture what a backbone takes", () => {
    const tensor = toTensor({ width: 2, height: 1, data: Uint8Array.of(0, 128, 255, 255, 0, 1) });
    expect(tensor.shape).toEqual([1, 1, 2, 3]);
    const [mean, std] = [
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ] as const;
    const expected = [0, 128, 255, 255, 0, 1].map(
      (byte, i) => (byte / 255 - (mean[i % 3] as number)) / (std[i % 3] as number),
    );
    expectClose(tensor, expected, 1e-6);
    tensor.dispose();
  });
});

test("says which shape a picture's attention has", async () => {
  const selfAttention = tf.zeros<tf.Rank.R4>([1, 2, 7, 7]);
  await expect(
    classAttention(selfAttention, { width: 32, height: 32 }, { patchSize: 8 }),
  ).rejects.toThrow("selfAttention: expected shape [1, *, 17, 17], got [1, 2, 7, 7]");
  await expect(
    classAttention(selfAttention, { width: 7, height: 32 }, { patchSize: 8 }),
  ).rejects.toThrow("picture: expected at least one patch of 8 x 8, got 7 x 32");
  selfAttention.dispose();
});

test("says how many bytes a picture has", () => {
  expect(() => toTensor({ ...noise(4, 3), width: 5 })).toThrow(
    "picture: expected 45 bytes for RGB of 5 x 3, got 36",
  );
  expect(() => toTensor({ width: 0, height: 3, data: new Uint8Array(0) })).toThrow(
    "picture: expected a width and height of 1 and more, got 0 x 3",
  );
});
