import type { Params } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { TokenExtractor } from "../copy-detection/copy-descriptor.ts";

/** What a Vision Transformer makes of one picture's patches, `[1, rows, columns, 3]` to `[patches, embedDim]`. */
export function patchFeatures(
  { intermediateTokens, embedDim }: TokenExtractor,
  params: Params,
  image: tf.Tensor4D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const [tokens] = intermediateTokens(params, image, { blocks: 1 }) as [tf.Tensor3D];
    const patches = tf.slice(tokens, [0, 1, 0], [1, -1, embedDim]);
    return tf.reshape<tf.Rank.R2>(patches, [-1, embedDim]);
  });
}
