import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  type FeatureSource,
  type FeatureStore,
  type Features,
  featureSource,
  keepFeatures,
  type Progress,
} from "@dino/evaluation";
import { canonicalJson, type Json } from "@dino/trainer/node";
import type { Model } from "../model/weights.ts";
import { featureFiles } from "./feature-files.ts";
import { listingHash, modelIdentity, type PictureListing } from "./feature-identity.ts";

/** What is made of pictures, and how. */
export interface CachedFeatures {
  /** The files, in the order of the rows. */
  readonly pictures: PictureListing;
  /**
   * Everything that the features depend on besides the model and the files: sizes, filters, which
   * tokens are taken. Features of another transform are never taken for these.
   */
  readonly transform: Json;
  /** Values in a row. */
  readonly dim: number;
  /** The features from this row to the last one, in parts of any size. */
  readonly make: (first: number) => AsyncIterable<Features>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface FoundFeatures {
  readonly features: FeatureSource;
  /** Rows that were there before and were not made again. */
  readonly reused: number;
  /** The folder that they are kept in, if any. */
  readonly folder: string | undefined;
}

/** Keeps what a model makes of pictures from one evaluation to the next. */
export interface FeatureCache {
  /**
   * The features that are asked for: those that are kept as they are, the others made and kept. A
   * call that was interrupted, even killed, goes on where it was when it is made once more.
   */
  features(asked: CachedFeatures): Promise<FoundFeatures>;
}

/**
 * The features of one model, kept below `folder`: under a name that is a hash of the model's
 * weights, of the listing of the pictures (names, sizes, times, classes), of the transform and of
 * what computes. Without a folder nothing outlives the program.
 */
export function featureCache(
  model: Pick<Model, "backbone" | "params">,
  folder: string | undefined,
): FeatureCache {
  let known: Promise<string> | undefined;
  const ofModel = (): Promise<string> => {
    known ??= modelIdentity(model);
    return known;
  };
  const storeOf = async ({ pictures, transform, dim, signal }: CachedFeatures) => {
    if (folder === undefined) return { store: inMemory(dim), place: undefined };
    const identity = canonicalJson({
      model: JSON.parse(await ofModel()),
      pictures: await listingHash(pictures, signal),
      transform,
    });
    const place = join(folder, createHash("sha256").update(identity).digest("hex").slice(0, 24));
    return { store: await featureFiles(place, { identity, dim }), place };
  };
  return {
    features: async (asked) => {
      const { store, place } = await storeOf(asked);
      const reused = store.kept;
      const { dim, make, signal, onProgress } = asked;
      const count = asked.pictures.length;
      const features = await keepFeatures(store, { dim, count, make, signal, onProgress });
      return { features, reused, folder: place };
    },
  };
}

/** Features that are kept as long as the program runs. */
function inMemory(dim: number): FeatureStore {
  const parts: Features[] = [];
  const kept = (): number => parts.reduce((sum, { count }) => sum + count, 0);
  return {
    get kept() {
      return kept();
    },
    append: async (features) => {
      parts.push(features);
    },
    source: () => {
      const count = kept();
      const [rows, labels] = [new Float32Array(count * dim), new Int32Array(count)];
      let done = 0;
      for (const part of parts) {
        rows.set(part.rows, done * dim);
        labels.set(part.labels, done);
        done += part.count;
      }
      return featureSource({ rows, dim, count, labels });
    },
  };
}
