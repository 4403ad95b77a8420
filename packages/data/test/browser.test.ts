import { multiCrop } from "@dino/augmentations";
import { DataError, type Dataset, type Loader } from "@dino/data";
import { heldPictures, imageFiles, labeledImages, loader } from "@dino/data/browser";
import * as node from "@dino/data/node";
import * as tf from "@tensorflow/tfjs-core";
import "@dino/testing"; // the cpu backend
import { beforeAll, expect, test } from "vitest";
import type { ThreadAnswer, ThreadMessage } from "../src/browser/crop-thread.ts";
import { serveCrops } from "../src/browser/crop-thread.ts";
import { drawnDataset, valuesOf } from "./pictures.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const views = multiCrop({ global: 12, local: 6, locals: 3 });
const dataset = drawnDataset(11);
const options = { views, batchSize: 4, seed: 5 };

async function valuesIn(batches: Loader, to: number) {
  const steps: Float32Array[][] = [];
  for await (const crops of batches.steps({ to })) steps.push(valuesOf(crops));
  await batches.close();
  return steps;
}

/** A worker that runs on this thread: what it is sent and answers is copied as between threads. */
function threadOf(program: () => void): Worker {
  const listeners: ((message: { data: ThreadAnswer }) => void)[] = [];
  const scope = globalThis as unknown as {
    onmessage: ((message: { data: ThreadMessage }) => void) | null;
    postMessage: (answer: ThreadAnswer, transfer: Transferable[]) => void;
  };
  scope.postMessage = (answer, transfer) => {
    const data = structuredClone(answer, { transfer });
    setTimeout(() => {
      for (const listen of listeners) listen({ data });
    });
  };
  program();
  const receive = scope.onmessage;
  return {
    postMessage: (message: ThreadMessage) => {
      const data = structuredClone(message);
      setTimeout(() => receive?.({ data }));
    },
    addEventListener: (type: string, listen: (message: { data: ThreadAnswer }) => void) => {
      if (type === "message") listeners.push(listen);
    },
    terminate: () => {},
  } as unknown as Worker;
}

test("gives the crops that Node gives, to the byte, over epochs, on this thread and on another", async () => {
  const there = await valuesIn(node.loader(dataset, { ...options, workers: 0 }), 7);
  expect(await valuesIn(loader(dataset, options), 7)).toEqual(there);
  const worker = threadOf(serveCrops);
  expect(await valuesIn(loader(dataset, { ...options, worker }), 7)).toEqual(there);
});

test("goes on in the middle as if it had begun there", async () => {
  const all = await valuesIn(loader(dataset, options), 6);
  const batches = loader(dataset, options);
  for await (const crops of batches.steps({ from: 4, to: 5 }))
    expect(valuesOf(crops)).toEqual(all[4]);
});

test("tells what a thread could not do", async () => {
  const broken: Dataset = {
    ...dataset,
    read: async () => ({ width: 3, height: 3, data: new Uint8Array(1) }),
  };
  const batches = loader(broken, { ...options, worker: threadOf(serveCrops) });
  const steps = batches.steps()[Symbol.asyncIterator]();
  await expect(steps.next()).rejects.toThrow("data: expected 27 bytes for 3 x 3 pixels, got 1");
});

test("refuses fewer pictures than a batch, and going on once closed", async () => {
  expect(() => loader(drawnDataset(3), options)).toThrow(
    "expected at least a batch of 4 pictures, got 3",
  );
  const batches = loader(dataset, options);
  await batches.close();
  await expect(batches.steps()[Symbol.asyncIterator]().next()).rejects.toThrow("loader: is closed");
});

test("shows evaluation what Node shows it, again and again", async () => {
  const images = labeledImages(dataset, { size: 8, batchSize: 4 });
  const there = node.labeledImages(dataset, { size: 8, batchSize: 4, workers: 0 });
  const valuesIn = async (from: typeof images) => {
    const batches: [Float32Array[], Int32Array][] = [];
    for await (const { images, labels } of from) batches.push([valuesOf([images]), labels]);
    return batches;
  };
  const expected = await valuesIn(there);
  expect(await valuesIn(images)).toEqual(expected);
  expect(await valuesIn(images)).toEqual(expected);
  expect(images.length).toBe(11);
});

test("holds what can be read, and names what cannot", async () => {
  const read: Dataset["read"] = async (index) => {
    if (index === 2) throw new DataError("drawn 2", "is damaged");
    return dataset.read(index);
  };
  const told: number[] = [];
  const held = await heldPictures(
    { ...dataset, read },
    { onProgress: ({ done }) => told.push(done) },
  );
  expect(held.length).toBe(10);
  expect(held.broken).toEqual([{ name: dataset.name(2), reason: "is damaged" }]);
  expect(held.name(2)).toBe(dataset.name(3));
  expect(held.label(2)).toBe(dataset.label(3));
  expect(await held.read(2)).toEqual(await dataset.read(3));
  expect(told.at(-1)).toBe(11);
});

test("takes folders for classes, in the order of the paths", () => {
  const file = new Blob();
  const paths = [
    "dogs/b.png",
    "cats/2.jpg",
    "cats/deep/1.webp",
    "notes.txt",
    "0.gif",
    ".hidden.png",
  ];
  const set = imageFiles(paths.map((path) => ({ path, file })));
  expect(Array.from({ length: set.length }, (_, i) => [set.name(i), set.label(i)])).toEqual([
    ["0.gif", -1],
    ["cats/2.jpg", 0],
    ["cats/deep/1.webp", 0],
    ["dogs/b.png", 1],
  ]);
  expect(set.classes).toEqual(["cats", "dogs"]);
  expect(() => imageFiles([{ path: "a.txt", file }])).toThrow(
    "files: expected pictures, got none among 1 files",
  );
});
