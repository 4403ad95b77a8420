import type { Params } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { TokenExtractor } from "../copy-detection/copy-descriptor.ts";
import type { FeatureExtractor } from "../feature-batches.ts";

export interface ProbeFeaturesOptions {
  /** How many of the last blocks' class tokens are taken. */
  readonly blocks: number;
  /** Whether the mean of the last block's patch tokens is taken too, which needs `blocks` of 1. */
  readonly averagePool: boolean;
}

/**
 * What a linear classifier on a Vision Transformer is trained on: the normalised class tokens of the
 * last blocks, oldest first, or the last one's with the mean of its patch tokens. The paper takes
 * four blocks of ViT-S, and one with the mean of ViT-B.
 *
 * With the mean the two are interleaved, value by value, as published classifiers expect.
 */
export function probeFeatures(
  { embedDim, intermediateTokens }: TokenExtractor,
  { blocks, averagePool }: ProbeFeaturesOptions,
): FeatureExtractor {
  if (!Number.isInteger(blocks) || blocks < 1) {
    throw new RangeError(`blocks: expected a whole number from 1, got ${blocks}`);
  }
  if (averagePool && blocks > 1) {
    throw new RangeError(`blocks: expected 1 with averagePool, got ${blocks}`);
  }
  return {
    embedDim: embedDim * (averagePool ? 2 : blocks),
    forward: (params: Params, images: tf.Tensor4D) =>
      tf.tidy(() => {
        const tokens = intermediateTokens(params, images, { blocks }); // [batch, 1 + patches, dim] each
        const classes = tokens.map(classToken);
        const [first] = classes as [tf.Tensor2D];
        const [last] = tokens as [tf.Tensor3D];
        if (averagePool) return interleaved(first, meanPatch(last));
        return classes.length === 1 ? first : tf.concat2d(classes, 1);
      }),
  };
}

/** `[batch, tokens, dim]` to the first token, `[batch, dim]`. */
function classToken(tokens: tf.Tensor3D): tf.Tensor2D {
  const [batch, , dim] = tokens.shape;
  return tf.reshape(tf.slice(tokens, [0, 0, 0], [batch, 1, dim]), [batch, dim]);
}

/** `[batch, tokens, dim]` to the mean of all but the first, `[batch, dim]`. */
function meanPatch(tokens: tf.Tensor3D): tf.Tensor2D {
  const [batch, count, dim] = tokens.shape;
  return tf.mean(tf.slice(tokens, [0, 1, 0], [batch, count - 1, dim]), 1);
}

/** a0, b0, a1, b1, ... of each row. */
function interleaved(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  const [batch, dim] = a.shape;
  return tf.reshape(tf.stack([a, b], 2), [batch, 2 * dim]);
}
