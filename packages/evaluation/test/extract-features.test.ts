import { extractFeatures, type LabeledImages } from "@dino/evaluation";
import { onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

/** A backbone that tells the mean colour, scaled by its one parameter. */
const backbone = {
  embedDim: 3,
  forward: ({ scale }: Readonly<Record<string, tf.Tensor>>, images: tf.Tensor4D) =>
    tf.mul<tf.Tensor2D>(tf.mean(images, [1, 2]), scale as tf.Tensor),
};

/** Grey pictures: picture i is as bright as i. */
function pictures(sizes: readonly number[], length = sizes.reduce((a, b) => a + b, 0)) {
  let closed = false;
  const images: LabeledImages & { readonly closed: () => boolean } = {
    length,
    closed: () => closed,
    async *[Symbol.asyncIterator]() {
      try {
        let next = 0;
        for (const size of sizes) {
          const brightness = [...Array(size).keys()].map((i) => next + i);
          next += size;
          const images = tf.tidy(() =>
            tf.mul<tf.Tensor4D>(tf.tensor4d(brightness, [size, 1, 1, 1]), tf.ones([size, 2, 2, 3])),
          );
          yield { images, labels: Int32Array.from(brightness, (value) => value % 2) };
        }
      } finally {
        closed = true;
      }
    },
  };
  return images;
}

onEveryBackend(
  () => {
    test("gives a row for every picture in their order, and keeps no tensor", async () => {
      const scale = tf.scalar(2);
      const before = tf.memory().numTensors;
      const features = await extractFeatures(backbone, { scale }, pictures([2, 2, 1]));
      expect(tf.memory().numTensors).toBe(before);
      expect(features).toEqual({
        rows: Float32Array.of(0, 0, 0, 2, 2, 2, 4, 4, 4, 6, 6, 6, 8, 8, 8),
        dim: 3,
        count: 5,
        labels: Int32Array.of(0, 1, 0, 1, 0),
      });
      tf.dispose(scale);
    });

    test("stops when it is told to, closes the pictures and keeps no tensor", async () => {
      const scale = tf.scalar(2);
      const before = tf.memory().numTensors;
      const controller = new AbortController();
      const images = pictures([2, 2, 1]);
      const call = extractFeatures(backbone, { scale }, images, {
        signal: controller.signal,
        onProgress: ({ done }) => done === 4 && controller.abort(new Error("enough")),
      });
      await expect(call).rejects.toThrow("enough");
      expect(images.closed()).toBe(true);
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose(scale);
    });
  },
  { waits: true },
);

test("tells how far it has come", async () => {
  const seen: unknown[] = [];
  const scale = tf.scalar(1);
  await extractFeatures(backbone, { scale }, pictures([2, 1]), {
    onProgress: (progress) => seen.push(progress),
  });
  expect(seen).toEqual([
    { done: 2, total: 3 },
    { done: 3, total: 3 },
  ]);
  tf.dispose(scale);
});

test.each([
  ["no pictures", pictures([]), "images: expected at least one picture, got none"],
  ["fewer pictures than told", pictures([2, 1], 4), "images: expected 4 pictures, got 3"],
  [
    "more pictures than told",
    pictures([2, 1], 2),
    "images: expected a label for each of 2 pictures, got 1 labels for 1 pictures after 2",
  ],
])("says what is wrong with %s, and keeps no tensor", async (_, images, message) => {
  const scale = tf.scalar(1);
  const before = tf.memory().numTensors;
  await expect(extractFeatures(backbone, { scale }, images)).rejects.toThrow(message);
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose(scale);
});

test("says when the backbone gives rows of another length", async () => {
  const scale = tf.scalar(1);
  const before = tf.memory().numTensors;
  await expect(
    extractFeatures({ ...backbone, embedDim: 4 }, { scale }, pictures([2])),
  ).rejects.toThrow("features: expected shape [2, 4], got [2, 3]");
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose(scale);
});
