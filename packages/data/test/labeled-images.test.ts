import { evaluationView } from "@dino/augmentations";
import type { Dataset } from "@dino/data";
import { labeledImages } from "@dino/data/node";
import * as tf from "@tensorflow/tfjs-core";
import "@dino/testing"; // the cpu backend
import { beforeAll, expect, test } from "vitest";
import { all, drawnDataset, normalised, valuesOf } from "./pictures.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const dataset = drawnDataset(10);
const options = { size: 8, batchSize: 4, workers: 0, cacheBytes: 0 };

/** Labels, and the values of each picture. */
async function contentOf(images: ReturnType<typeof labeledImages>) {
  const labels: number[] = [];
  const values: number[] = [];
  for await (const batch of images) {
    expect(batch.images.shape).toEqual([batch.labels.length, 8, 8, 3]);
    labels.push(...batch.labels);
    for (const tensor of valuesOf([batch.images])) values.push(...tensor);
  }
  return { labels, values: Float32Array.from(values) };
}

/** What pictures of these indices look like to evaluation. */
async function seen(indices: readonly number[]) {
  const pictures = await Promise.all(indices.map((index) => dataset.read(index)));
  const values = pictures.flatMap((picture) => [...normalised(evaluationView(picture, 8))]);
  return { labels: indices.map(dataset.label), values: Float32Array.from(values) };
}

test("gives every picture once, in order, resized and cropped in the middle", async () => {
  const images = labeledImages(dataset, options);
  expect(images.length).toBe(10);
  const expected = await seen([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await contentOf(images)).toEqual(expected);
  expect(await contentOf(images)).toEqual(expected); // again
});

test.each([1, 2])("%i workers make the same bytes as none", async (workers) => {
  const images = labeledImages(dataset, { ...options, workers });
  expect(await contentOf(images)).toEqual(await contentOf(labeledImages(dataset, options)));
});

test("begins at any picture, with what it gives from there on otherwise", async () => {
  const photos = drawnDataset(10, [4]);
  const some = { ...options, batchSize: 3, maxBroken: 0.1 };
  const whole = await contentOf(labeledImages(photos, some));
  for (const from of [0, 4, 9]) {
    const images = labeledImages(photos, { ...some, from });
    expect(images.length).toBe(10 - from);
    const { labels, values } = await contentOf(images);
    expect(labels).toEqual(whole.labels.slice(from));
    expect(values).toEqual(whole.values.slice(from * 3 * 8 * 8));
  }
  expect(labeledImages(photos, { ...some, from: 10 }).length).toBe(0);
});

test("begins at any picture of those that were kept, and keeps no part alone", async () => {
  const { dataset: photos, reads } = counted();
  const enough = { ...options, cacheBytes: 2 ** 20 };
  expect(await contentOf(labeledImages(photos, { ...enough, from: 7 }))).toEqual(
    await seen([7, 8, 9]),
  );
  await contentOf(labeledImages(photos, enough));
  expect(reads.count).toBe(13);
  expect(await contentOf(labeledImages(photos, { ...enough, from: 6 }))).toEqual(
    await seen([6, 7, 8, 9]),
  );
  expect(reads.count).toBe(13);
});

/** A data set of ten pictures that counts how often one was read. */
function counted(broken: readonly number[] = []) {
  const drawn = drawnDataset(10, broken);
  const reads = { count: 0 };
  const read: Dataset["read"] = (index) => {
    reads.count++;
    return drawn.read(index);
  };
  return { dataset: { ...drawn, read }, reads };
}

test("what fits is made once for a size, however often it is asked for", async () => {
  const { dataset: photos, reads } = counted();
  const enough = { ...options, cacheBytes: 10 * 3 * 8 * 8 };
  const expected = await seen([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const images = labeledImages(photos, enough);
  expect(await contentOf(images)).toEqual(expected);
  expect(await contentOf(images)).toEqual(expected);
  expect(await contentOf(labeledImages(photos, { ...enough, batchSize: 3 }))).toEqual(expected);
  expect(reads.count).toBe(10);
  for await (const { images } of labeledImages(photos, { ...enough, size: 7 })) images.dispose();
  expect(reads.count).toBe(20);
});

test("what does not fit is made each time, and so is a set with broken pictures", async () => {
  const { dataset: photos, reads } = counted();
  const images = labeledImages(photos, { ...options, cacheBytes: 10 * 3 * 8 * 8 - 1 });
  expect(await contentOf(images)).toEqual(await contentOf(images));
  expect(reads.count).toBe(20);

  const flawed = counted([4]);
  const all = { ...options, cacheBytes: 2 ** 20, maxBroken: 0.1 };
  for (const times of [1, 2]) {
    const images = labeledImages(flawed.dataset, all);
    expect(await contentOf(images)).toEqual(await seen([0, 1, 2, 3, 5, 5, 6, 7, 8, 9]));
    expect(images.broken.map(({ name }) => name)).toEqual(["4.png"]);
    expect(flawed.reads.count).toBe(11 * times);
  }
});

test("pictures without a class are labelled -1", async () => {
  const flat = { ...dataset, classes: [], label: () => -1 };
  expect((await contentOf(labeledImages(flat, options))).labels).toEqual(Array(10).fill(-1));
});

test("the next readable picture stands in for a broken one", async () => {
  const images = labeledImages(drawnDataset(10, [3, 4, 9]), { ...options, maxBroken: 0.3 });
  expect(await contentOf(images)).toEqual(await seen([0, 1, 2, 5, 5, 5, 6, 7, 8, 0]));
  expect(images.broken.map(({ name }) => name)).toEqual(["3.png", "4.png", "9.png"]);
});

test("more broken pictures than allowed are an error that names a few", async () => {
  await expect(
    all(labeledImages(drawnDataset(10, [6]), { ...options, batchSize: 10 })),
  ).rejects.toThrow(
    "drawn: 1 of 10 pictures cannot be read, more than maxBroken 0.01 allows: 6.png (not a picture)",
  );
});

test("stops when asked to, and leaks nothing when left early", async () => {
  const before = tf.memory().numTensors;
  const controller = new AbortController();
  const aborted = (async () => {
    for await (const { images } of labeledImages(dataset, {
      ...options,
      signal: controller.signal,
    })) {
      images.dispose();
      controller.abort(new Error("enough"));
    }
  })();
  await expect(aborted).rejects.toThrow("enough");
  for await (const { images } of labeledImages(dataset, { ...options, workers: 1 })) {
    images.dispose();
    break;
  }
  expect(tf.memory().numTensors).toBe(before);
});

test("says what an option must be", () => {
  expect(() => labeledImages(dataset, { ...options, size: 0 })).toThrow(
    "size: expected an integer of at least 1, got 0",
  );
  expect(() => labeledImages(dataset, { ...options, cacheBytes: 0.5 })).toThrow(
    "cacheBytes: expected an integer of at least 0, got 0.5",
  );
});
