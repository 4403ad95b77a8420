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

/** What makes a row of numbers of a picture: a backbone, or anything built on one. */
export interface FeatureExtractor {
  /** Values in a row. */
  readonly embedDim: number;
  /** `[batch, rows, columns, 3]` to `[batch, embedDim]`. */
  forward(params: Params, images: tf.Tensor4D): tf.Tensor2D;
}

/**
 * The features of every picture, batch by batch as the pictures come, in evaluation mode. Takes the
 * batches' pictures over and frees them; of `params` it only reads. More or fewer pictures than
 * `images.length` tells are an error.
 */
export async function* featureBatches(
  backbone: FeatureExtractor,
  params: Params,
  images: LabeledImages,
  { signal }: Pick<LongCall, "signal"> = {},
): AsyncGenerator<Features, void> {
  const { embedDim: dim } = backbone;
  const { length } = images;
  let done = 0;
  for await (const batch of images) {
    let features: Features;
    try {
      signal?.throwIfAborted();
      const [count] = batch.images.shape;
      if (batch.labels.length !== count || done + count > length) {
        throw new ShapeError(
          `images: expected a label for each of ${length} pictures, got ${batch.labels.length} ` +
            `labels for ${count} pictures after ${done}`,
        );
      }
      const rows = await rowsOf(backbone, params, batch.images);
      features = { rows, dim, count, labels: batch.labels };
      done += count;
    } finally {
      tf.dispose(batch.images);
    }
    yield features;
    await giveWay();
  }
  signal?.throwIfAborted();
  if (done !== length) throw new RangeError(`images: expected ${length} pictures, got ${done}`);
}

async function rowsOf(
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
