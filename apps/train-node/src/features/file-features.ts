import { join } from "node:path";
import { readImage } from "@dino/data/node";
import {
  type FeatureExtractor,
  featureBatches,
  type LabeledImages,
  type Progress,
} from "@dino/evaluation";
import { imageTensor, type Params, type Pixels } from "@dino/ops";
import type { Json } from "@dino/trainer/node";
import { RunError } from "../errors.ts";
import type { FeatureCache, FoundFeatures } from "./feature-cache.ts";
import type { PictureListing } from "./feature-identity.ts";
import { readAhead } from "./read-ahead.ts";

/** What is done to a picture before a model sees it. */
export interface PictureView {
  /** Tells it from all others. */
  readonly name: Json;
  apply(picture: Pixels, index: number): Pixels;
}

export interface FileFeaturesOptions {
  readonly extractor: FeatureExtractor;
  readonly params: Params;
  /** What `extractor` makes, in words that tell it from others of the same model. */
  readonly kind: Json;
  readonly view: PictureView;
  /** Rows and columns that a picture must have afterwards, at least. */
  readonly smallest: number;
  /** Pictures at once, as far as they follow each other and are of one size. */
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * The features of picture files of any sizes, from a cache or new. A `DataError` or
 * `RunError` names the file that cannot be read, or is too small.
 */
export function fileFeatures(
  cache: FeatureCache,
  pictures: PictureListing,
  { extractor, params, kind, onProgress, ...reading }: FileFeaturesOptions,
): Promise<FoundFeatures> {
  const { view, signal } = reading;
  return cache.features({
    pictures,
    transform: { view: view.name, kind },
    dim: extractor.embedDim,
    make: (from) => featureBatches(extractor, params, batches(pictures, from, reading), { signal }),
    signal,
    onProgress,
  });
}

type Reading = Pick<FileFeaturesOptions, "view" | "smallest" | "batchSize" | "signal">;

/** The pictures from one on, in batches of one size each. */
function batches(
  pictures: PictureListing,
  from: number,
  { view, smallest, batchSize, signal }: Reading,
): LabeledImages {
  const count = Math.max(0, pictures.length - from);
  const read = async (index: number): Promise<Pixels> => {
    signal?.throwIfAborted();
    const file = join(pictures.path, pictures.name(index));
    const { width, height, data } = view.apply(await readImage(file), index);
    if (Math.min(width, height) >= smallest) return { width, height, data };
    throw new RunError(
      `${file}: expected ${smallest} x ${smallest} pixels or more at this size, got ${width} x ${height}`,
    );
  };
  async function* run(): AsyncGenerator<Batch> {
    const indices = Array.from({ length: count }, (_, i) => from + i);
    let batch: Pixels[] = [];
    let first = from;
    for await (const picture of readAhead(indices, read)) {
      if (batch.length === batchSize || !sameSize(batch[0] ?? picture, picture)) {
        yield batchOf(batch, pictures, first);
        first += batch.length;
        batch = [];
      }
      batch.push(picture);
    }
    if (batch.length > 0) yield batchOf(batch, pictures, first);
  }
  return { length: count, [Symbol.asyncIterator]: run };
}

type Batch = LabeledImages extends AsyncIterable<infer T> ? T : never;

function batchOf(batch: readonly Pixels[], pictures: PictureListing, first: number): Batch {
  const { width, height, data } = batch[0] as Pixels;
  const bytes = new Uint8Array(batch.length * data.length);
  batch.forEach((picture, i) => {
    bytes.set(picture.data, i * data.length);
  });
  const labels = Int32Array.from(batch, (_, i) => pictures.label(first + i));
  return { images: imageTensor(bytes, [batch.length, height, width]), labels };
}

const sameSize = (a: Pixels, b: Pixels): boolean => a.width === b.width && a.height === b.height;
