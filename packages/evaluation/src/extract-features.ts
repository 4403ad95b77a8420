import type { Params } from "@dino/ops";
import { type FeatureExtractor, featureBatches, type LabeledImages } from "./feature-batches.ts";
import type { Features } from "./features.ts";
import type { LongCall } from "./long-call.ts";

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
  for await (const batch of featureBatches(backbone, params, images, { signal })) {
    rows.set(batch.rows, done * dim);
    labels.set(batch.labels, done);
    done += batch.count;
    onProgress?.({ done, total: count });
  }
  return { rows, dim, count, labels };
}
