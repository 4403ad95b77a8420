import { makeFolder, UnwritableError } from "@dino/trainer/node";
import type { Command } from "commander";
import type { Context } from "../command.ts";
import type { Console } from "../console/console.ts";
import { count } from "../console/words.ts";
import type { Model } from "../model/weights.ts";
import { cacheFolder } from "./cache-folder.ts";
import { type FeatureCache, type FoundFeatures, featureCache } from "./feature-cache.ts";

/** Flags of every command that keeps features. */
export interface CacheFlags {
  /** False where none are to be kept. */
  readonly featuresCache?: string | false;
}

export function withFeatureCache(made: Command): Command {
  return made
    .option(
      "--features-cache <folder>",
      "where features are kept for the next evaluation (the system's folder for caches, or DINO_CACHE)",
    )
    .option("--no-features-cache", "keep no features");
}

/** The cache that the flags ask for. Where nobody asked and nothing can be written there is none. */
export function openFeatureCache(
  { environment, screen }: Context,
  { featuresCache }: CacheFlags,
  model: Pick<Model, "backbone" | "params">,
): FeatureCache {
  if (featuresCache === false) return featureCache(model, undefined);
  const folder = featuresCache ?? cacheFolder("features", environment);
  try {
    makeFolder(folder);
    return featureCache(model, folder);
  } catch (error) {
    if (featuresCache !== undefined || !(error instanceof UnwritableError)) throw error;
    screen.note(`features are not kept: ${error.message}`);
    return featureCache(model, undefined);
  }
}

/** Says what did not have to be made again. */
export function noteReused(
  screen: Console,
  name: string,
  { features, reused, folder }: FoundFeatures,
): void {
  if (reused === 0 || folder === undefined) return;
  const which =
    reused === features.count
      ? `all ${count(reused)} features were there`
      : `${count(reused)} of ${count(features.count)} features were there`;
  screen.note(`${name}: ${which}, in ${folder}`);
}
