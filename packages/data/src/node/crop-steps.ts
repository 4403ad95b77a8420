import { setImmediate as turn } from "node:timers/promises";
import type { Seen } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import { assertCount } from "../assert-count.ts";
import type { Crops, Loader, StepsOptions } from "../batches.ts";
import { type Dataset, nameOf } from "../dataset.ts";
import { DataError } from "../errors.ts";
import { epochOrder, viewKey } from "../keys.ts";
import { prefetched } from "../prefetched.ts";
import type { BatchPicture } from "../render.ts";
import { brokenPictures } from "./broken-pictures.ts";
import { type CropBatch, cropBatch, deviceBatch } from "./crop-batch.ts";
import { createGate } from "./gate.ts";
import { createHalt, type Halt } from "./halt.ts";
import type { LoaderOptions } from "./loader.ts";
import { defaultCacheBytes, pictureCache } from "./picture-cache.ts";
import { readablePictures } from "./readable-pictures.ts";
import { createRenderer, defaultWorkers } from "./renderer.ts";

/** The crops of one step, and which pictures they are of. */
export interface CropStep {
  readonly crops: Crops;
  /** The picture of each place of the batch. */
  readonly indices: Uint32Array;
}

/** Endless, repeatable batches of crops, as `Loader` has them. */
export interface CropSteps extends Omit<Loader, "steps"> {
  steps(options?: StepsOptions): AsyncIterable<CropStep>;
}

export interface CropStepsOptions extends LoaderOptions {
  /** Whether the pictures that do not fill an epoch's last batch are a batch too. */
  readonly keepLast: boolean;
}

/** A batch whose blocks hold its crops. */
interface Filled {
  readonly batch: CropBatch;
  readonly indices: Uint32Array;
}

/** What `loader` and `labeledLoader` are made of. */
export function cropSteps(
  dataset: Dataset,
  {
    views,
    batchSize,
    seed,
    keepLast,
    workers = defaultWorkers,
    maxBroken = 0.01,
    prefetch = 3,
    cacheBytes = defaultCacheBytes,
    augment = "threads",
  }: CropStepsOptions,
): CropSteps {
  assertCount("batchSize", batchSize, 1);
  assertCount("prefetch", prefetch, 1);
  assertCount("cacheBytes", cacheBytes, 0);
  const least = keepLast ? 1 : batchSize;
  if (dataset.length < least) {
    throw new DataError(
      nameOf(dataset),
      `expected at least a batch of ${least} pictures, got ${dataset.length}`,
    );
  }
  const perEpoch = keepLast
    ? Math.ceil(dataset.length / batchSize)
    : Math.floor(dataset.length / batchSize);
  const broken = brokenPictures(dataset, maxBroken);
  // Threads sample by themselves where they can; here it would be taken from training.
  const onDevice = augment === "device";
  const sampling = !onDevice && workers > 0 && views.options && { options: views.options, seed };
  const renderer = createRenderer(workers, sampling || undefined);
  const cache = pictureCache(dataset, { maximum: cacheBytes, shared: !onDevice && workers > 0 });
  const readAt = readablePictures(dataset, { cache, broken });
  const gate = createGate(cache.meanBytes);
  const orderOf = lastFew((epoch) => epochOrder({ seed, epoch, length: dataset.length }));
  orderOf(0); // a seed that is none is told of here
  const running = new Set<Halt>();
  let waited = 0;
  let closed = false;

  /** The first picture of a step in its epoch's order, and how many there are. */
  const placeOf = (step: number) => {
    const first = (step % perEpoch) * batchSize;
    return { first, count: Math.min(batchSize, dataset.length - first) };
  };

  /** Fills the batch with the crops of a step. */
  const fill = async (batch: CropBatch, step: number, { signal, flag }: Halt): Promise<Filled> => {
    const epoch = Math.floor(step / perEpoch);
    const order = orderOf(epoch);
    const { first, count } = placeOf(step);
    const indices = order.slice(first, first + count);
    const render = async (pictures: readonly BatchPicture[]): Promise<void> => {
      const { seen } = batch;
      if (seen === undefined) await renderThere(pictures);
      else for (const { slot, ...rest } of pictures) seen[slot] = rest as Seen;
    };
    const renderThere = (pictures: readonly BatchPicture[]): Promise<void> =>
      renderer.render({ pictures, epoch, blocks: batch.blocks, batch: count, stop: flag });
    const pictureAt = (slot: number, index: number, picture: Pixels): BatchPicture => ({
      ...{ index, slot, picture, keep: cache.kept(index) === picture },
      ...(!sampling && { views: views.sample(picture, viewKey({ seed, epoch, index })) }),
    });

    // What is in memory goes to the threads at once and together, the rest as it is read.
    const inMemory: BatchPicture[] = [];
    const rest: Promise<void>[] = [];
    for (let slot = 0; slot < count; slot++) {
      const index = indices[slot] as number;
      const picture = cache.kept(index);
      if (picture !== undefined) {
        inMemory.push(pictureAt(slot, index, picture));
        continue;
      }
      rest.push(
        gate.run(async () => {
          signal.throwIfAborted();
          const { index, picture } = await readAt(order, first + slot, signal);
          indices[slot] = index;
          await render([pictureAt(slot, index, picture)]);
        }),
      );
    }
    if (inMemory.length > 0) rest.push(render(inMemory));
    await Promise.all(rest);
    return { batch, indices };
  };

  async function* run(from: number, to: number, signal?: AbortSignal): AsyncGenerator<CropStep> {
    if (closed) throw new DataError("loader", "is closed");
    const halt = createHalt(signal);
    running.add(halt);
    const free: CropBatch[] = []; // whole ones: an epoch's last may have fewer pictures
    try {
      const batches = prefetched(
        {
          from,
          to,
          ahead: prefetch,
          signal: halt.signal,
          turn: () => turn(),
          onWait: (seconds) => {
            waited += seconds;
          },
        },
        (step) => {
          const { count } = placeOf(step);
          if (onDevice) return fill(deviceBatch(views.groups), step, halt);
          const used = count === batchSize ? free.pop() : undefined;
          return fill(used ?? cropBatch(views.groups, count), step, halt);
        },
      );
      for await (const { batch, indices } of batches) {
        const crops = batch.tensors();
        if (!onDevice && indices.length === batchSize) free.push(batch);
        yield { crops, indices };
      }
    } finally {
      halt.stop();
      running.delete(halt);
    }
  }

  return {
    perEpoch,
    batchSize,
    get broken() {
      return broken.list();
    },
    get waited() {
      return waited;
    },
    steps: ({ from = 0, to = Number.POSITIVE_INFINITY, signal }: StepsOptions = {}) => {
      assertCount("from", from, 0);
      if (to !== Number.POSITIVE_INFINITY) assertCount("to", to, 0);
      return run(from, to, signal);
    },
    close: async () => {
      closed = true;
      for (const halt of running) halt.stop(new DataError("loader", "is closed"));
      cache.clear();
      await renderer.close();
    },
  };
}

/** `make`, with its last few results remembered: prefetching looks into two epochs at once. */
function lastFew(make: (epoch: number) => Uint32Array): (epoch: number) => Uint32Array {
  const made = new Map<number, Uint32Array>();
  return (epoch) => {
    const known = made.get(epoch);
    if (known !== undefined) return known;
    const order = make(epoch);
    made.set(epoch, order);
    for (const old of made.keys()) {
      if (made.size <= 4) break;
      made.delete(old);
    }
    return order;
  };
}
