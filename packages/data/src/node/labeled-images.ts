import { imageTensor } from "@dino/ops";
import type { LabeledBatch, LabeledImages } from "../batches.ts";
import type { Dataset } from "../dataset.ts";
import { assertCount } from "./assert-count.ts";
import { brokenPictures } from "./broken-pictures.ts";
import { createGate } from "./gate.ts";
import { createHalt } from "./halt.ts";
import { pictureCache } from "./picture-cache.ts";
import { prefetched } from "./prefetched.ts";
import { readablePictures } from "./readable-pictures.ts";
import { createRenderer, defaultWorkers } from "./renderer.ts";

export interface LabeledImagesOptions {
  /** Rows and columns of the pictures. */
  readonly size: number;
  /** Pictures in a batch; the last may have fewer. Default 64. */
  readonly batchSize?: number;
  /** Threads that resize; 0 is this one. Default: one less than there are processors. */
  readonly workers?: number;
  /** The share of broken pictures, from 0 to 1, beyond which reading fails. Default 0.01. */
  readonly maxBroken?: number;
  /** Batches that are prepared while the consumer works on one. Default 2. */
  readonly prefetch?: number;
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
    batchSize = 64,
    workers = defaultWorkers,
    maxBroken = 0.01,
    prefetch = 2,
    signal,
  }: LabeledImagesOptions,
): LabeledImages {
  assertCount("size", size, 1);
  assertCount("batchSize", batchSize, 1);
  assertCount("workers", workers, 0);
  assertCount("prefetch", prefetch, 1);
  const broken = brokenPictures(dataset, maxBroken);
  const order = Uint32Array.from({ length: dataset.length }, (_, index) => index);

  async function* run(): AsyncGenerator<LabeledBatch> {
    const halt = createHalt(signal);
    const renderer = createRenderer(workers);
    const cache = pictureCache(dataset, { maximum: 0, shared: workers > 0 });
    const readAt = readablePictures(dataset, { cache, broken });
    const gate = createGate(cache.meanBytes);

    const fill = async (batch: number): Promise<Batch> => {
      const first = batch * batchSize;
      const count = Math.min(batchSize, dataset.length - first);
      const bytes = 3 * size * size; // of one picture
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

    try {
      const to = Math.ceil(dataset.length / batchSize);
      const batches = prefetched({ from: 0, to, ahead: prefetch, signal: halt.signal }, fill);
      for await (const { data, labels } of batches) {
        yield { images: imageTensor(data, [labels.length, size, size]), labels };
      }
    } finally {
      halt.stop();
      await renderer.close();
    }
  }

  return {
    length: dataset.length,
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
