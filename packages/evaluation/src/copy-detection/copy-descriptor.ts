import type { Params } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { FeatureExtractor } from "../feature-batches.ts";

/** The part of a Vision Transformer that copies are described by. */
export interface TokenExtractor {
  readonly embedDim: number;
  /** The normalised tokens after each of the last `blocks` blocks: `[batch, 1 + patches, embedDim]`. */
  intermediateTokens(
    params: Params,
    images: tf.Tensor4D,
    options: { readonly blocks: number },
  ): tf.Tensor3D[];
}

export interface CopyDescriptorOptions {
  /** The p of the generalised mean: 1 is the mean, infinity the maximum. */
  readonly power?: number;
}

/** Smaller values count as this one: a generalised mean has no negative ones. */
const least = 1e-6;

/**
 * What a picture is told from its copies by: the class token, and behind it the generalised mean
 * (GeM, Radenovic et al. 2018, https://arxiv.org/abs/1711.02512) of the patch tokens. Twice as wide
 * as the backbone, and given to `extractFeatures` in its place.
 */
export function copyDescriptor(
  { embedDim, intermediateTokens }: TokenExtractor,
  { power = 4 }: CopyDescriptorOptions = {},
): FeatureExtractor {
  if (!(power > 0 && Number.isFinite(power))) {
    throw new RangeError(`power: expected a number above 0, got ${power}`);
  }
  return {
    embedDim: 2 * embedDim,
    forward: (params: Params, images: tf.Tensor4D) =>
      tf.tidy(() => {
        const [tokens] = intermediateTokens(params, images, { blocks: 1 }) as [tf.Tensor3D];
        const [batch, count] = tokens.shape;
        const classToken = tf.slice(tokens, 0, [batch, 1, embedDim]);
        const patches = tf.slice(tokens, [0, 1, 0], [batch, count - 1, embedDim]);
        return tf.concat<tf.Tensor2D>(
          [tf.reshape(classToken, [batch, embedDim]), generalizedMean(patches, power)],
          1,
        );
      }),
  };
}

/** `[batch, patches, dim]` to `[batch, dim]`. */
function generalizedMean(patches: tf.Tensor3D, power: number): tf.Tensor2D {
  const powers = tf.pow(tf.maximum(patches, least), power);
  return tf.pow(tf.mean<tf.Tensor2D>(powers, 1), 1 / power);
}
