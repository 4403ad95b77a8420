import { assertShape, type Params, ShapeError } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { Features } from "./features.ts";
import { giveWay, type LongCall } from "./long-call.ts";

/** Pictures in their order, a batch at a time. Whoever reads a batch disposes of its pictures. */
export interface LabeledImages
  extends AsyncIterable<{
    /** `[batch, rows, columns, 3]`, normalised. */
    readonly images: tf.Tensor4D;
    /** The class of each picture, or -1 where it has none. */
    readonly labels: Int32Array;
  }> {
  /** Pictures, all batches together. */
  readonly length: number;
}

/** The part of a backbone that features need. */
export interface FeatureExtractor {
  readonly embedDim: number;
  /** `[batch, rows, columns, 3]` to `[batch, embedDim]`. */
  forward(params: Params, images: tf.Tensor4D): tf.Tensor2D;
}

export type ExtractFeaturesOptions = LongCall;

/**
 * What a backbone makes of every picture, in evaluation mode and in the pictures' order. Takes
 * the batches' pictures over and frees them; of `params` it only reads.
 */
export async function extractFeatures(
  backbone: FeatureExtractor,
  params: Params,
  images: LabeledImages,
  { signal, onProgress }: ExtractFeaturesOptions = {},
): Promise<Features> {
  const { embedDim: dim } = backbone;
  const { length: count } = images;
  if (count < 1) throw new RangeError("images: expected at least one picture, got none");
  const rows = new Float32Array(count * dim);
  const labels = new Int32Array(count);
  let done = 0;
  for await (const batch of images) {
    try {
      signal?.throwIfAborted();
      const [size] = batch.images.shape;
      if (batch.labels.length !== size || done + size > count) {
        throw new ShapeError(
          `images: expected a label for each of ${count} pictures, got ${batch.labels.length} ` +
            `labels for ${size} pictures after ${done}`,
        );
      }
      rows.set(await featuresOf(backbone, params, batch.images), done * dim);
      labels.set(batch.labels, done);
      done += size;
    } finally {
      tf.dispose(batch.images);
    }
    onProgress?.({ done, total: count });
    await giveWay();
  }
  signal?.throwIfAborted();
  if (done !== count) throw new RangeError(`images: expected ${count} pictures, got ${done}`);
  return { rows, dim, count, labels };
}

async function featuresOf(
  backbone: FeatureExtractor,
  params: Params,
  images: tf.Tensor4D,
): Promise<Float32Array> {
  const features = tf.tidy(() => backbone.forward(params, images)); // [batch, embedDim]
  try {
    assertShape("features", features, [images.shape[0], backbone.embedDim]);
    return await features.data<"float32">();
  } finally {
    tf.dispose(features);
  }
}
