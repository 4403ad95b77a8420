import { setImmediate as turn } from "node:timers/promises";
import { imageTensor } from "@dino/ops";
import { assertCount } from "../assert-count.ts";
import type { LabeledBatch, LabeledImages } from "../batches.ts";
import type { Dataset } from "../dataset.ts";
import { prefetched } from "../prefetched.ts";
import { brokenPictures } from "./broken-pictures.ts";
import { defaultEvaluationBytes, keepViews, keptViews } from "./evaluation-cache.ts";
import { createGate } from "./gate.ts";
import { createHalt } from "./halt.ts";
import { pictureCache } from "./picture-cache.ts";
import { readablePictures } from "./readable-pictures.ts";
import { createRenderer, defaultWorkers } from "./renderer.ts";

export interface LabeledImagesOptions {
  /** Rows and columns of the pictures. */
  readonly size: number;
  /** The first picture that is given, for whoever has those before it. Default 0. */
  readonly from?: number;
  /** Pictures in a batch; the last may have fewer. Default 64. */
  readonly batchSize?: number;
  /** Threads that resize; 0 is this one. Default: one less than there are processors. */
  readonly workers?: number;
  /** The share of broken pictures, from 0 to 1, beyond which reading fails. Default 0.01. */
  readonly maxBroken?: number;
  /** Batches that are prepared while the consumer works on one. Default 2. */
  readonly prefetch?: number;
  /**
   * Bytes that the pictures may take to be kept as they are seen here, with their data set, for
   * when it is evaluated again. Default 256 MiB, but at most a sixteenth of the machine's memory.
   */
  readonly cacheBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The pictures as evaluation sees them, resized and cropped in the middle, each once, in the data
 * set's order. In place of a picture that cannot be read stands the next one that can, with its
 * label, so that their number stays what it is; too many of them are a `DataError`.
 */
export function labeledImages(
  dataset: Dataset,
  {
    size,
    from = 0,
    batchSize = 64,
    workers = defaultWorkers,
    maxBroken = 0.01,
    prefetch = 2,
    cacheBytes = defaultEvaluationBytes,
    signal,
  }: LabeledImagesOptions,
): LabeledImages {
  assertCount("size", size, 1);
  assertCount("from", from, 0);
  assertCount("batchSize", batchSize, 1);
  assertCount("workers", workers, 0);
  assertCount("prefetch", prefetch, 1);
  assertCount("cacheBytes", cacheBytes, 0);
  const broken = brokenPictures(dataset, maxBroken);
  const order = Uint32Array.from({ length: dataset.length }, (_, index) => index);

  const bytes = 3 * size * size; // of one picture
  const total = Math.max(0, dataset.length - from);
  const batches = Math.ceil(total / batchSize);
  const countOf = (batch: number): number => Math.min(batchSize, total - batch * batchSize);

  async function* run(): AsyncGenerator<LabeledBatch> {
    const kept = keptViews(dataset, size);
    yield* kept ? again(kept) : anew();
  }

  /** The pictures as they were seen before. */
  async function* again(kept: Uint8Array): AsyncGenerator<LabeledBatch> {
    for (let batch = 0; batch < batches; batch++) {
      await turn(); // as with pictures that are read, other things go on meanwhile
      signal?.throwIfAborted();
      const [first, count] = [from + batch * batchSize, countOf(batch)];
      const data = kept.subarray(first * bytes, (first + count) * bytes);
      const labels = Int32Array.from({ length: count }, (_, slot) => dataset.label(first + slot));
      yield { images: imageTensor(data, [count, size, size]), labels };
    }
  }

  async function* anew(): AsyncGenerator<LabeledBatch> {
    const halt = createHalt(signal);
    const renderer = createRenderer(workers);
    const cache = pictureCache(dataset, { maximum: 0, shared: workers > 0 });
    const readAt = readablePictures(dataset, { cache, broken });
    const gate = createGate(cache.meanBytes);

    const fill = async (batch: number): Promise<Batch> => {
      const [first, count] = [from + batch * batchSize, countOf(batch)];
      const data = new Uint8Array(new SharedArrayBuffer(count * bytes));
      const labels = new Int32Array(count);
      const slots = Array.from({ length: count }, (_, slot) =>
        gate.run(async () => {
          halt.signal.throwIfAborted();
          const { index, picture } = await readAt(order, first + slot, halt.signal);
          labels[slot] = dataset.label(index);
          const out = data.subarray(slot * bytes, (slot + 1) * bytes);
          await renderer.render({ picture, size, out, stop: halt.flag });
        }),
      );
      await Promise.all(slots);
      return { data, labels };
    };

    const length = dataset.length * bytes;
    const seen = from === 0 && length <= cacheBytes ? new Uint8Array(length) : undefined;
    let done = 0;
    try {
      const steps = {
        from: 0,
        to: batches,
        ahead: prefetch,
        signal: halt.signal,
        turn: () => turn(),
      };
      for await (const { data, labels } of prefetched(steps, fill)) {
        seen?.set(data, done);
        done += data.length;
        yield { images: imageTensor(data, [labels.length, size, size]), labels };
      }
      // Whoever asks again is told of broken pictures again, so those are looked for again.
      const found = broken.list().length - (dataset.broken?.length ?? 0);
      if (seen && found === 0) keepViews(dataset, { size, data: seen });
    } finally {
      halt.stop();
      await renderer.close();
    }
  }

  return {
    length: total,
    get broken() {
      return broken.list();
    },
    [Symbol.asyncIterator]: run,
  };
}

interface Batch {
  /** RGB bytes, `[batch, size, size, 3]`. */
  readonly data: Uint8Array;
  readonly labels: Int32Array;
}
