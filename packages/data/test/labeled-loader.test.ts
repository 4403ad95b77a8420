import { applyView, multiCrop, randomResizedCrop } from "@dino/augmentations";
import { epochOrder, viewKey } from "@dino/data";
import { type LoaderOptions, labeledLoader } from "@dino/data/node";
import * as tf from "@tensorflow/tfjs-core";
import "@dino/testing"; // the cpu backend
import { beforeAll, expect, test } from "vitest";
import { drawnDataset, normalised, valuesOf } from "./pictures.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const views = randomResizedCrop({ size: 8 });
const dataset = drawnDataset(11);
const options = { views, batchSize: 4, seed: 5, workers: 0 };

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Labels and values of some steps; the loader is closed behind them. */
async function run(range: Range, more: Partial<LoaderOptions> = {}, of = dataset) {
  const batches = labeledLoader(of, { ...options, ...more });
  const steps: { labels: number[]; values: Float32Array }[] = [];
  for await (const { images, labels } of batches.steps(range)) {
    expect(images.shape).toEqual([labels.length, 8, 8, 3]);
    steps.push({ labels: [...labels], values: valuesOf([images])[0] as Float32Array });
  }
  await batches.close();
  return steps;
}

/** What a step holds by its definition, with `stand(index)` in place of each picture. */
async function expected(step: number, stand = (index: number) => index) {
  const epoch = Math.floor(step / 3);
  const order = epochOrder({ seed: 5, epoch, length: 11 });
  const first = (step % 3) * 4;
  const indices = [...order.slice(first, first + 4)].map(stand);
  const rows = await Promise.all(
    indices.map(async (index) => {
      const picture = await dataset.read(index);
      const [view] = views.sample(picture, viewKey({ seed: 5, epoch, index }));
      return view ? [...normalised(applyView(picture, view))] : [];
    }),
  );
  return { labels: indices.map(dataset.label), values: Float32Array.from(rows.flat()) };
}

test("gives every picture of an epoch once with its class, the last few too", async () => {
  const steps = await run({ from: 0, to: 6 });
  expect(steps.map(({ labels }) => labels.length)).toEqual([4, 4, 3, 4, 4, 3]);
  for (const [i, step] of steps.entries()) expect(step).toEqual(await expected(i));
});

test.each([1, 2])("%i workers make the same bytes as none, from any step", async (workers) => {
  const steps = await run({ from: 0, to: 6 });
  expect(await run({ from: 2, to: 6 }, { workers })).toEqual(steps.slice(2));
});

test("takes fewer pictures than a batch", async () => {
  const few = drawnDataset(3);
  expect((await run({ from: 0, to: 1 }, {}, few)).map(({ labels }) => labels.length)).toEqual([3]);
});

test("a picture that stands in for a broken one comes with its own class", async () => {
  const order = [...epochOrder({ seed: 5, epoch: 0, length: 11 })];
  const broken = order[1] as number;
  const after = order[2] as number;
  const steps = await run({ from: 0, to: 1 }, { maxBroken: 0.1 }, drawnDataset(11, [broken]));
  expect(steps[0]).toEqual(await expected(0, (index) => (index === broken ? after : index)));
});

test("takes policies of one crop alone", () => {
  const many = multiCrop({ global: 8, local: 6, locals: 2 });
  expect(() => labeledLoader(dataset, { ...options, views: many })).toThrow(
    "views: expected one crop a picture, got 2 of 8 pixels and 2 of 6 pixels",
  );
});
