import type { ViewPolicy } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import type { Crops, Loader, StepsOptions } from "../batches.ts";
import { type Dataset, nameOf } from "../dataset.ts";
import { DataError } from "../errors.ts";
import { epochOrder, viewKey } from "../keys.ts";
import { assertCount } from "./assert-count.ts";
import { brokenPictures } from "./broken-pictures.ts";
import { type CropBatch, cropBatch } from "./crop-batch.ts";
import { createGate } from "./gate.ts";
import { createHalt, type Halt } from "./halt.ts";
import { defaultCacheBytes, pictureCache } from "./picture-cache.ts";
import { prefetched } from "./prefetched.ts";
import { readablePictures } from "./readable-pictures.ts";
import type { BatchPicture } from "./render.ts";
import { createRenderer, defaultWorkers } from "./renderer.ts";

export interface LoaderOptions {
  /** How the crops of a picture are sampled. */
  readonly views: ViewPolicy;
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** Fixes the order of every epoch and the views of every picture. */
  readonly seed: number;
  /** Threads that make crops; 0 is this one. Default: one less than there are processors. */
  readonly workers?: number;
  /** The share of broken pictures, from 0 to 1, beyond which loading fails. Default 0.01. */
  readonly maxBroken?: number;
  /** Steps that are prepared while the consumer works on one. Default 3. */
  readonly prefetch?: number;
  /**
   * Bytes of decoded pictures that are kept for the next epoch. Default 1 GiB, but at most a
   * quarter of the machine's memory.
   */
  readonly cacheBytes?: number;
}

/**
 * Batches of crops for training: every epoch goes through the pictures in an order of its own, and
 * sees each by new views. What step `s` holds depends on the data set, `seed`, `views` and
 * `batchSize` alone: not on threads, nor on the step that a run goes on from.
 *
 * A picture that cannot be read is replaced by the next one in the epoch's order. Too many of them,
 * or fewer pictures than a batch, are a `DataError`.
 */
export function loader(
  dataset: Dataset,
  {
    views,
    batchSize,
    seed,
    workers = defaultWorkers,
    maxBroken = 0.01,
    prefetch = 3,
    cacheBytes = defaultCacheBytes,
  }: LoaderOptions,
): Loader {
  assertCount("batchSize", batchSize, 1);
  assertCount("prefetch", prefetch, 1);
  assertCount("cacheBytes", cacheBytes, 0);
  if (dataset.length < batchSize) {
    throw new DataError(
      nameOf(dataset),
      `expected at least a batch of ${batchSize} pictures, got ${dataset.length}`,
    );
  }
  const perEpoch = Math.floor(dataset.length / batchSize);
  const broken = brokenPictures(dataset, maxBroken);
  // Threads sample by themselves where they can; here it would be taken from training.
  const sampling = workers > 0 && views.options && { options: views.options, seed };
  const renderer = createRenderer(workers, sampling || undefined);
  const cache = pictureCache(dataset, { maximum: cacheBytes, shared: workers > 0 });
  const readAt = readablePictures(dataset, { cache, broken });
  const gate = createGate(cache.meanBytes);
  const orderOf = lastFew((epoch) => epochOrder({ seed, epoch, length: dataset.length }));
  orderOf(0); // a seed that is none is told of here
  const running = new Set<Halt>();
  let waited = 0;
  let closed = false;

  /** Fills the batch with the crops of a step. */
  const fill = async (
    batch: CropBatch,
    step: number,
    { signal, flag }: Halt,
  ): Promise<CropBatch> => {
    const epoch = Math.floor(step / perEpoch);
    const order = orderOf(epoch);
    const first = (step % perEpoch) * batchSize;
    const render = (pictures: readonly BatchPicture[]): Promise<void> =>
      renderer.render({ pictures, epoch, blocks: batch.blocks, batch: batchSize, stop: flag });
    const pictureAt = (slot: number, index: number, picture: Pixels): BatchPicture => ({
      ...{ index, slot, picture, keep: cache.kept(index) === picture },
      ...(!sampling && { views: views.sample(picture, viewKey({ seed, epoch, index })) }),
    });

    // What is in memory goes to the threads at once and together, the rest as it is read.
    const inMemory: BatchPicture[] = [];
    const rest: Promise<void>[] = [];
    for (let slot = 0; slot < batchSize; slot++) {
      const index = order[first + slot] as number;
      const picture = cache.kept(index);
      if (picture !== undefined) {
        inMemory.push(pictureAt(slot, index, picture));
        continue;
      }
      rest.push(
        gate.run(async () => {
          signal.throwIfAborted();
          const { index, picture } = await readAt(order, first + slot, signal);
          await render([pictureAt(slot, index, picture)]);
        }),
      );
    }
    if (inMemory.length > 0) rest.push(render(inMemory));
    await Promise.all(rest);
    return batch;
  };

  async function* run(from: number, to: number, signal?: AbortSignal): AsyncGenerator<Crops> {
    if (closed) throw new DataError("loader", "is closed");
    const halt = createHalt(signal);
    running.add(halt);
    const free: CropBatch[] = [];
    try {
      const batches = prefetched(
        {
          from,
          to,
          ahead: prefetch,
          signal: halt.signal,
          onWait: (seconds) => {
            waited += seconds;
          },
        },
        (step) => fill(free.pop() ?? cropBatch(views.groups, batchSize), step, halt),
      );
      for await (const batch of batches) {
        const crops = batch.tensors();
        free.push(batch);
        yield crops;
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
