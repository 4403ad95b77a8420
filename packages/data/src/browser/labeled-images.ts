import { evaluationView } from "@dino/augmentations";
import { imageTensor } from "@dino/ops";
import { assertCount } from "../assert-count.ts";
import type { LabeledBatch, LabeledImages } from "../batches.ts";
import type { Dataset } from "../dataset.ts";
import { turn } from "./turn.ts";

export interface LabeledImagesOptions {
  /** Rows and columns of the pictures. */
  readonly size: number;
  /** Pictures in a batch; the last may have fewer. Default 64. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The pictures as evaluation sees them, resized and cropped in the middle, each once, in the data
 * set's order. Kept as they are seen, for when they are gone through again.
 */
export function labeledImages(
  dataset: Dataset,
  { size, batchSize = 64, signal }: LabeledImagesOptions,
): LabeledImages {
  assertCount("size", size, 1);
  assertCount("batchSize", batchSize, 1);
  const { length } = dataset;
  const bytes = 3 * size * size;
  const seen = new Uint8Array(length * bytes);
  const looked = new Set<number>();

  const look = async (index: number) => {
    if (looked.has(index)) return;
    const picture = await dataset.read(index, { signal });
    seen.set(evaluationView(picture, size).data, index * bytes);
    looked.add(index);
  };

  async function* run(): AsyncGenerator<LabeledBatch> {
    for (let first = 0; first < length; first += batchSize) {
      await turn();
      signal?.throwIfAborted();
      const count = Math.min(batchSize, length - first);
      for (let slot = 0; slot < count; slot++) await look(first + slot);
      const data = seen.subarray(first * bytes, (first + count) * bytes);
      const labels = Int32Array.from({ length: count }, (_, slot) => dataset.label(first + slot));
      yield { images: imageTensor(data, [count, size, size]), labels };
    }
  }

  return { length, broken: dataset.broken ?? [], [Symbol.asyncIterator]: run };
}
