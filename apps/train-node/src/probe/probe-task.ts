import type { ImageFolder } from "@dino/data/node";
import type { FeatureSource, LinearFigures } from "@dino/evaluation";
import type { Console } from "../console/console.ts";
import { progressLine } from "../console/progress.ts";
import { noteReused } from "../features/cache-options.ts";
import type { FeatureCache } from "../features/feature-cache.ts";
import { listingHash, modelIdentity } from "../features/feature-identity.ts";
import { pictureFeatures } from "../features/picture-features.ts";
import type { Model } from "../model/weights.ts";
import type { ProbeExtractor } from "./probe-extractor.ts";
import type { ProbeSettings } from "./probe-store.ts";

/** A model to probe, and what with. */
export interface ProbeTask {
  readonly screen: Console;
  readonly model: Pick<Model, "backbone" | "params">;
  readonly extractor: ProbeExtractor;
  readonly cache: FeatureCache;
  /** Rows and columns of the pictures. */
  readonly size: number;
  readonly batchSize: number;
  readonly workers: number | undefined;
  readonly signal: AbortSignal;
}

/** How a probe went. */
export interface ProbeResult {
  readonly figures: LinearFigures;
  /** The class of each picture that it was judged by. */
  readonly answers: Int32Array;
  /** The best of all judgements on the way: the reference reports it. */
  readonly bestTop1: number;
  /** Of the first epoch, for this size of batches. */
  readonly learningRate: number;
  readonly epochs: number;
}

/** The features of pictures that are not augmented. */
export async function plainFeatures(
  { screen, model, extractor, cache, size, batchSize, workers, signal }: ProbeTask,
  folder: ImageFolder,
): Promise<FeatureSource> {
  const found = await pictureFeatures(cache, folder, {
    ...{ extractor, params: model.params, kind: extractor.kind, size, batchSize, workers, signal },
    onProgress: progressLine(screen, `features of ${folder.path}`, "pictures"),
  });
  noteReused(screen, folder.path, found);
  return found.features;
}

/** What the numbers of a probe depend on, besides how it is trained. */
export async function taskSettings(
  { model, extractor, size, batchSize, signal }: ProbeTask,
  train: ImageFolder,
): Promise<ProbeSettings> {
  const { engine, weights } = JSON.parse(await modelIdentity(model)) as {
    readonly engine: { readonly name: string; readonly precision: string };
    readonly weights: string;
  };
  return {
    engine: `${engine.name} ${engine.precision}`,
    weights,
    pictures: await listingHash(train, signal),
    imageSize: size,
    batchSize,
    blocks: extractor.blocks,
    averagePool: extractor.averagePool,
  };
}
