import { type ImageFolder, labeledImages } from "@dino/data/node";
import { type FeatureExtractor, featureBatches, type Progress } from "@dino/evaluation";
import type { Params } from "@dino/ops";
import type { Json } from "@dino/trainer/node";
import type { FeatureCache, FoundFeatures } from "./feature-cache.ts";

export interface PictureFeaturesOptions {
  readonly extractor: FeatureExtractor;
  readonly params: Params;
  /** What `extractor` makes, in words that tell it from others of the same model. */
  readonly kind: Json;
  /** Rows and columns of the pictures. */
  readonly size: number;
  readonly batchSize?: number | undefined;
  readonly workers?: number | undefined;
  readonly maxBroken?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** The features of a folder's pictures, resized and cropped in the middle, from a cache or new. */
export function pictureFeatures(
  cache: FeatureCache,
  pictures: ImageFolder,
  { extractor, params, kind, size, signal, onProgress, ...reading }: PictureFeaturesOptions,
): Promise<FoundFeatures> {
  const { batchSize = 64, workers, maxBroken = 0.01 } = reading;
  return cache.features({
    pictures,
    transform: { view: "middle", size, kind },
    dim: extractor.embedDim,
    make: (from) => {
      const images = labeledImages(pictures, {
        ...{ size, from, batchSize, maxBroken, signal },
        ...(workers !== undefined && { workers }),
      });
      return featureBatches(extractor, params, images, { signal });
    },
    signal,
    onProgress,
  });
}
