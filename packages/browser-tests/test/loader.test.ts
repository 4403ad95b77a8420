import { startBackend } from "@dino/backend";
import { DataError, type Dataset } from "@dino/data";
import { heldPictures, imageFiles, labeledImages, loader } from "@dino/data/browser";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeEach, expect, test } from "vitest";
import { drawnSet } from "./drawn.ts";
import { fileOf, node } from "./host.ts";
import { cropOptions, cropValues, lookOptions, lookValues } from "./views.ts";

beforeEach(() => void tf.setBackend("cpu"));

const cropWorker = () =>
  new Worker(new URL("./crop-worker.ts", import.meta.url), { type: "module" });

test("makes the crops that Node makes, to the byte, over epochs, in the page and in a worker", async () => {
  const there = await node<number[][][]>("crops");
  const before = tf.memory().numTensors;
  expect(await cropValues(loader(drawnSet, cropOptions))).toEqual(there);
  expect(await cropValues(loader(drawnSet, { ...cropOptions, worker: cropWorker() }))).toEqual(
    there,
  );
  expect(await cropValues(loader(drawnSet, { ...cropOptions, augment: "device" }))).toEqual(there);
  expect(tf.memory().numTensors).toBe(before);
});

test("makes the crops that Node makes on WebGPU, of pictures that are uploaded once", async () => {
  const there = await node<number[][][]>("crops");
  expect(await startBackend("webgpu")).toContain("backend: webgpu");
  const made = await cropValues(loader(drawnSet, { ...cropOptions, augment: "device" }));
  // Half a grey level, divided by the standard deviation as all of them are.
  const most = 0.5 / 255 / 0.229;
  const expected = there.flat(2);
  const values = made.flat(2);
  expect(values.length).toBe(expected.length);
  expect(values.filter((value, i) => !(Math.abs(value - (expected[i] ?? NaN)) < most))).toEqual([]);
});

test("shows evaluation what Node shows it, again and again", async () => {
  const there = await node<number[][]>("looks");
  const images = labeledImages(drawnSet, lookOptions);
  expect(await lookValues(images)).toEqual(there);
  expect(await lookValues(images)).toEqual(there);
});

test("tells what a worker could not do", async () => {
  const broken: Dataset = {
    ...drawnSet,
    read: async () => ({ width: 3, height: 3, data: new Uint8Array(1) }),
  };
  const batches = loader(broken, { ...cropOptions, worker: cropWorker() });
  await expect(cropValues(batches)).rejects.toThrow(
    "data: expected 27 bytes for 3 x 3 pixels, got 1",
  );
  await batches.close();
});

test("holds files that can be read, and names what cannot", async () => {
  const files = ["cats/1.png", "cats/deep/2.webp", "dogs/3.jpg", "dogs/broken.png", "notes.txt"];
  const named = files.map(async (path) => ({ path, file: await fileOf(`folder/${path}`) }));
  const set = imageFiles(await Promise.all(named), { shortSide: 12 });
  const held = await heldPictures(set);
  expect([held.classes, held.length]).toEqual([["cats", "dogs"], 3]);
  expect(held.broken).toEqual([
    { name: "dogs/broken.png", reason: "is no picture that this browser reads" },
  ]);
  const { width, height } = await held.read(2);
  expect([held.name(2), held.label(2), width, height]).toEqual(["dogs/3.jpg", 1, 18, 12]);

  const none = imageFiles([{ path: "broken.png", file: new Blob(["no picture"]) }]);
  await expect(heldPictures(none)).rejects.toThrow(DataError);
});
