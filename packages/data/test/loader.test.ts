import { applyView, multiCrop } from "@dino/augmentations";
import { DataError, type Dataset, epochOrder, type Loader, viewKey } from "@dino/data";
import { type LoaderOptions, loader } from "@dino/data/node";
import * as tf from "@tensorflow/tfjs-core";
import "@dino/testing"; // the cpu backend
import { beforeAll, expect, test } from "vitest";
import { all, drawnDataset, normalised, valuesOf } from "./pictures.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const views = multiCrop({ global: 12, local: 6, locals: 3 });
const dataset = drawnDataset(11);
const options = { views, batchSize: 4, seed: 5, workers: 0 };

/** The values of a run's steps; the loader is closed behind it. */
async function run({
  from,
  to,
  of = dataset,
  ...more
}: Partial<LoaderOptions> & Range & { readonly of?: Dataset }): Promise<Float32Array[][]> {
  const batches = loader(of, { ...options, ...more });
  const steps: Float32Array[][] = [];
  for await (const crops of batches.steps({ from, to })) steps.push(valuesOf(crops));
  await batches.close();
  return steps;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** What a step holds by its definition. */
async function expected(of: Dataset, step: number, order: (epoch: number) => ArrayLike<number>) {
  const perEpoch = Math.floor(of.length / options.batchSize);
  const epoch = Math.floor(step / perEpoch);
  const rows: Float32Array[] = [];
  for (let slot = 0; slot < options.batchSize; slot++) {
    const index = order(epoch)[(step % perEpoch) * options.batchSize + slot] as number;
    const picture = await of.read(index);
    views.sample(picture, viewKey({ seed: options.seed, epoch, index })).forEach((view, crop) => {
      rows[crop * options.batchSize + slot] = normalised(applyView(picture, view));
    });
  }
  const globals = 2 * options.batchSize;
  return [rows.slice(0, globals), rows.slice(globals)].map((group) =>
    Float32Array.from(group.flatMap((row) => [...row])),
  );
}

const shuffled = (epoch: number) => epochOrder({ seed: 5, epoch, length: 11 });

test("a step holds the crops that its keys define, crop by crop, global crops first", async () => {
  const steps = await run({ from: 0, to: 5 });
  expect(steps.length).toBe(5);
  for (const [step, crops] of steps.entries()) {
    expect(crops).toEqual(await expected(dataset, step, shuffled));
  }
});

test("gives one tensor per size", async () => {
  const batches = loader(dataset, options);
  expect([batches.perEpoch, batches.batchSize]).toEqual([2, 4]);
  const [crops] = await all(batches.steps({ to: 1 }));
  expect(crops?.map(({ shape }) => shape)).toEqual([
    [8, 12, 12, 3],
    [12, 6, 6, 3],
  ]);
  tf.dispose([...(crops ?? [])]);
  await batches.close();
});

test.each([1, 2])("%i workers make the same bytes as none", async (workers) => {
  expect(await run({ from: 0, to: 6, workers })).toEqual(await run({ from: 0, to: 6 }));
});

test("views of another making than multiCrop's are sampled for the workers", async () => {
  const { groups, sample } = views;
  const own = { groups, sample };
  expect(await run({ from: 0, to: 6, workers: 2, views: own })).toEqual(
    await run({ from: 0, to: 6 }),
  );
});

test("neither prefetching nor the cache changes anything", async () => {
  const steps = await run({ from: 0, to: 6 });
  expect(await run({ from: 0, to: 6, prefetch: 1, cacheBytes: 0 })).toEqual(steps);
  expect(await run({ from: 0, to: 6, prefetch: 20, cacheBytes: 4000 })).toEqual(steps);
  expect(await run({ from: 0, to: 6, workers: 1, cacheBytes: 4000 })).toEqual(steps);
});

test("crops that the backend makes of a whole batch are those that threads make", async () => {
  const range = { from: 1, to: 4 };
  expect(await run({ ...range, augment: "device" })).toEqual(await run(range));
});

test("goes on from any step as if it had never stopped", async () => {
  const steps = await run({ from: 0, to: 7 });
  for (const from of [1, 2, 5]) expect(await run({ from, to: 7 })).toEqual(steps.slice(from));
  expect(await run({ from: 7, to: 7 })).toEqual([]);
});

test("every epoch has an order and views of its own", async () => {
  const [first, , next] = await run({ from: 0, to: 3 });
  expect(next).not.toEqual(first);
});

test("keeps pictures in memory as far as they fit", async () => {
  let reads = 0;
  const counted: Dataset = {
    ...dataset,
    read: (index) => {
      reads++;
      return dataset.read(index);
    },
  };
  await run({ of: counted, from: 0, to: 40 });
  expect(reads).toBeLessThanOrEqual(22); // one that is prefetched for two epochs is read twice
  reads = 0;
  await run({ of: counted, from: 0, to: 40, cacheBytes: 0 });
  expect(reads).toBe(160);
});

test("a broken picture is replaced by the next one in the epoch's order", async () => {
  const flawed = drawnDataset(11, [3, 8]);
  const order = (epoch: number) => {
    const places = shuffled(epoch);
    return Array.from(places, (_, place) => {
      while ([3, 8].includes(places[place % 11] as number)) place++;
      return places[place % 11] as number;
    });
  };
  const steps = await run({ of: flawed, from: 0, to: 8, maxBroken: 0.2 });
  for (const [step, crops] of steps.entries()) {
    expect(crops).toEqual(await expected(flawed, step, order));
  }
  for (const workers of [0, 1]) {
    const resumed = await run({ of: flawed, from: 3, to: 8, maxBroken: 0.2, workers });
    expect(resumed).toEqual(steps.slice(3));
  }
});

test("names and counts broken pictures", async () => {
  const batches = loader(drawnDataset(11, [8, 3]), { ...options, maxBroken: 0.2 });
  expect(batches.broken).toEqual([]);
  for await (const crops of batches.steps({ to: 4 })) tf.dispose([...crops]);
  expect(batches.broken).toEqual([
    { name: "3.png", reason: "not a picture" },
    { name: "8.png", reason: "not a picture" },
  ]);
  await batches.close();
});

test("more broken pictures than allowed are an error that names a few", async () => {
  const batches = loader(drawnDataset(11, [2]), options);
  const failure = (async () => {
    for await (const crops of batches.steps({ to: 4 })) tf.dispose([...crops]);
  })();
  await expect(failure).rejects.toThrow(
    new DataError(
      "drawn",
      "1 of 11 pictures cannot be read, more than maxBroken 0.01 allows: 2.png (not a picture)",
    ),
  );
  await batches.close();
});

test("broken pictures that the data set knows of count at once", () => {
  const broken = [{ name: "x.jpg", reason: "the file is empty" }];
  expect(() => loader({ ...dataset, broken }, options)).toThrow(
    "drawn: 1 of 12 pictures cannot be read, more than maxBroken 0.01 allows: x.jpg (the file is empty)",
  );
  expect(loader({ ...dataset, broken }, { ...options, maxBroken: 0.1 }).broken).toEqual(broken);
});

test("when every picture is broken it ends, whatever is allowed", async () => {
  const batches = loader(drawnDataset(4, [0, 1, 2, 3]), { ...options, maxBroken: 1 });
  await expect(all(batches.steps({ to: 1 }))).rejects.toThrow(
    "drawn: none of its 4 pictures can be read",
  );
  await batches.close();
});

test("leaks no tensors, even when left early", async () => {
  const before = tf.memory().numTensors;
  await run({ from: 0, to: 6 });
  const batches = loader(dataset, options);
  for await (const crops of batches.steps()) {
    tf.dispose([...crops]);
    break;
  }
  await batches.close();
  expect(tf.memory().numTensors).toBe(before);
});

/** A data set whose first `quick` reads succeed and whose others never end. */
function stuck(quick: number): Dataset {
  let reads = 0;
  return {
    ...dataset,
    read: (index) => (reads++ < quick ? dataset.read(index) : new Promise(() => {})),
  };
}

test("an abort is prompt, with the signal's reason, although a read hangs", async () => {
  const controller = new AbortController();
  const batches = loader(stuck(4), { ...options, prefetch: 1, cacheBytes: 0 });
  const steps = batches.steps({ signal: controller.signal })[Symbol.asyncIterator]();
  tf.dispose([...((await steps.next()).value ?? [])]);
  setTimeout(() => controller.abort(new Error("enough")), 10);
  await expect(steps.next()).rejects.toThrow("enough");
  expect(await steps.next()).toEqual({ done: true, value: undefined });
  await expect(all(batches.steps({ signal: controller.signal }))).rejects.toThrow("enough");
  await batches.close();
});

test("closing ends what is under way, and what comes after", async () => {
  const batches = loader(stuck(0), { ...options, workers: 1 });
  const pending = all(batches.steps());
  setTimeout(() => void batches.close(), 10);
  await expect(pending).rejects.toThrow(new DataError("loader", "is closed"));
  await expect(all(batches.steps())).rejects.toThrow("loader: is closed");
  await batches.close(); // twice does no harm
});

test("two runs of one loader do not disturb each other", async () => {
  const batches = loader(dataset, options);
  const values = async (from: number) =>
    (await all(batches.steps({ from, to: from + 3 }))).map(valuesOf);
  const [a, b] = await Promise.all([values(0), values(2)]);
  await batches.close();
  expect([...a, ...b.slice(1)]).toEqual(await run({ from: 0, to: 5 }));
});

test("tells how long its consumer has waited", async () => {
  const slow: Dataset = {
    ...dataset,
    read: async (index) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return dataset.read(index);
    },
  };
  const batches = loader(slow, options);
  expect(batches.waited).toBe(0);
  for await (const crops of batches.steps({ to: 1 })) tf.dispose([...crops]);
  expect(batches.waited).toBeGreaterThan(0.015);
  await batches.close();
});

test("says what an option or a data set must be", () => {
  const failing =
    (more: Partial<LoaderOptions>, of = dataset) =>
    (): Loader =>
      loader(of, { ...options, ...more });
  expect(failing({}, drawnDataset(3))).toThrow(
    new DataError("drawn", "expected at least a batch of 4 pictures, got 3"),
  );
  expect(failing({ batchSize: 0 })).toThrow("batchSize: expected an integer of at least 1, got 0");
  expect(failing({ seed: -1 })).toThrow("seed: expected an integer from 0 to 2 ** 53 - 1, got -1");
  expect(failing({ workers: 1.5 })).toThrow("workers: expected an integer of at least 0, got 1.5");
  expect(failing({ maxBroken: 2 })).toThrow("maxBroken: expected a share from 0 to 1, got 2");
  expect(failing({ prefetch: 0 })).toThrow("prefetch: expected an integer of at least 1, got 0");
  expect(failing({ cacheBytes: -1 })).toThrow(
    "cacheBytes: expected an integer of at least 0, got -1",
  );
  expect(() => loader(dataset, options).steps({ from: -1 })).toThrow(
    "from: expected an integer of at least 0, got -1",
  );
});
