import { collectFeatures, type FeatureExtractor, type Features } from "@dino/evaluation";
import type { Json } from "@dino/trainer/node";
import type { Context } from "../command.ts";
import { progressLine } from "../console/progress.ts";
import type { Model } from "../model/weights.ts";
import { type CacheFlags, noteReused, openFeatureCache } from "./cache-options.ts";
import type { PictureListing } from "./feature-identity.ts";
import { fileFeatures, type PictureView } from "./file-features.ts";

export interface FeatureReaderOptions {
  readonly extractor: FeatureExtractor;
  /** What `extractor` makes, in words that tell it from others of the same model. */
  readonly kind: Json;
  /** Rows and columns that a picture must have at least when the model sees it. */
  readonly smallest: number;
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** The features of some pictures, under a name for people. */
export type FeatureReader = (
  name: string,
  pictures: PictureListing,
  view: PictureView,
) => Promise<Features>;

/** Reads features for a command: shows how far it is, and says what was kept from before. */
export function featureReader(
  context: Context,
  flags: CacheFlags,
  model: Pick<Model, "backbone" | "params">,
  options: FeatureReaderOptions,
): FeatureReader {
  const { screen } = context;
  const cache = openFeatureCache(context, flags, model);
  return async (name, pictures, view) => {
    const onProgress = progressLine(screen, `features of ${name}`, "pictures");
    const reading = { ...options, params: model.params, view, onProgress };
    const found = await fileFeatures(cache, pictures, reading);
    noteReused(screen, name, found);
    return collectFeatures(found.features);
  };
}
