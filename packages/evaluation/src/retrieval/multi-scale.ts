import { l2Normalize, type Params, resample } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { FeatureExtractor } from "../feature-batches.ts";

export interface MultiScaleOptions {
  /** Lengths of the pictures' sides as shares of what they are. */
  readonly scales?: readonly number[];
}

/**
 * A backbone that sees every picture in several sizes: the mean of the features, of length 1, as
 * in facebookresearch/dino's retrieval. Smaller pictures are bilinear samples without antialiasing.
 */
export function multiScale(
  { embedDim, forward }: FeatureExtractor,
  { scales = [1, Math.SQRT1_2, 0.5] }: MultiScaleOptions = {},
): FeatureExtractor {
  for (const scale of scales) {
    if (scale > 0 && scale <= 1) continue;
    throw new RangeError(`scales: expected numbers above 0 and at most 1, got ${scale}`);
  }
  if (scales.length === 0) throw new RangeError("scales: expected at least one, got none");
  return {
    embedDim,
    forward: (params: Params, images: tf.Tensor4D) =>
      tf.tidy(() => {
        const features = scales.map((scale) => forward(params, scaled(images, scale)));
        return l2Normalize(tf.div<tf.Tensor2D>(tf.addN(features), scales.length));
      }),
  };
}

/** Pictures `[batch, rows, columns, 3]` at a share of their size. */
function scaled(images: tf.Tensor4D, scale: number): tf.Tensor4D {
  if (scale === 1) return tf.clone(images);
  return shorter(shorter(images, scale), scale);
}

/** Shortens the first of a picture's two sides, and turns the picture: twice, and all is done. */
function shorter(images: tf.Tensor4D, scale: number): tf.Tensor4D {
  const [batch, rows, columns, channels] = images.shape;
  const shorterRows = Math.floor(rows * scale);
  if (shorterRows < 1) {
    throw new RangeError(`scales: expected pictures of a pixel and more, got ${rows} * ${scale}`);
  }
  const turned = tf.transpose(images, [1, 2, 0, 3]); // [rows, columns, batch, channels]
  const lines = tf.reshape<tf.Rank.R2>(turned, [rows, columns * batch * channels]);
  const fewer = resample(lines, bilinear(shorterRows, rows, scale));
  const apart = tf.reshape<tf.Rank.R4>(fewer, [shorterRows, columns, batch, channels]);
  return tf.transpose(apart, [2, 1, 0, 3]); // [batch, columns, shorterRows, channels]
}

/**
 * How `to` samples come from `from`, `[to, from]`, as PyTorch's `interpolate` does it when it is
 * given a scale: the samples lie `1 / scale` apart, whatever was rounded off the length.
 */
function bilinear(to: number, from: number, scale: number): tf.Tensor2D {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const source = Math.max((i + 0.5) / scale - 0.5, 0);
    const first = Math.min(Math.floor(source), from - 1);
    const second = Math.min(first + 1, from - 1);
    const share = source - first;
    const at = i * from;
    weights[at + first] = (weights[at + first] as number) + 1 - share;
    weights[at + second] = (weights[at + second] as number) + share;
  }
  return tf.tensor2d(weights, [to, from]);
}
