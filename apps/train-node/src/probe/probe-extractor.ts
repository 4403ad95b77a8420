import type { Backbone } from "@dino/backbones";
import type { VisionTransformer } from "@dino/backbones/vit";
import { type FeatureExtractor, probeFeatures } from "@dino/evaluation";
import type { Json } from "@dino/trainer/node";
import { UsageError } from "../errors.ts";

/** What a probe is trained on. */
export interface ProbeExtractor extends FeatureExtractor {
  /** The last blocks whose class tokens are taken. */
  readonly blocks: number;
  readonly averagePool: boolean;
  /** Tells it from other extractors of the same model. */
  readonly kind: Json;
}

export interface ProbeExtractorFlags {
  readonly blocks: number | undefined;
  readonly averagePool: boolean | undefined;
}

/** From this width on the paper takes one block and the mean of its patches (ViT-B). */
const wide = 768;

/** The features that the flags ask for, or those that the paper takes of a backbone of this width. */
export function probeExtractor(
  backbone: Backbone & Partial<Pick<VisionTransformer, "intermediateTokens" | "depth">>,
  asked: ProbeExtractorFlags,
): ProbeExtractor {
  const { embedDim, intermediateTokens, depth = 1 } = backbone;
  const isWide = asked.blocks === undefined && embedDim >= wide;
  const averagePool = asked.averagePool ?? (isWide && intermediateTokens !== undefined);
  const usual = isWide || averagePool ? 1 : 4;
  const blocks = asked.blocks ?? Math.min(intermediateTokens ? usual : 1, depth);
  if (blocks > depth) {
    throw new UsageError(`--n-last-blocks: expected at most ${depth}, all blocks, got ${blocks}`);
  }
  if (averagePool && intermediateTokens === undefined) {
    throw new UsageError(
      `--avgpool-patchtokens: expected false, as ${backbone.name} has no patch tokens`,
    );
  }
  if (averagePool && blocks > 1) {
    throw new UsageError(
      `--n-last-blocks: expected 1 with --avgpool-patchtokens, as published classifiers have it, got ${blocks}`,
    );
  }
  // One class token alone is the backbone's output, which other evaluations keep too.
  if (intermediateTokens === undefined || (blocks === 1 && !averagePool)) {
    const forward: FeatureExtractor["forward"] = (params, images) =>
      backbone.forward(params, images);
    return { embedDim, forward, blocks, averagePool, kind: "output" };
  }
  const made = probeFeatures({ embedDim, intermediateTokens }, { blocks, averagePool });
  return { ...made, blocks, averagePool, kind: { blocks, averagePool } };
}
