import * as tf from "@tensorflow/tfjs-core";
import { affine, sumRows } from "../composite/rows.ts";
import { differentiable } from "../operation.ts";
import { assertShape, ShapeError } from "../shape.ts";

export interface PatchEmbedParams {
  /** `[dim, 3, patch, patch]`, the convolution's. */
  readonly weight: tf.Tensor4D;
  readonly bias: tf.Tensor1D;
  /** `[1, 1, dim]` */
  readonly classToken: tf.Tensor3D;
  /** Of the class token and every patch, `[1 + patches, dim]`. */
  readonly positions: tf.Tensor2D;
}

export interface PatchEmbedOptions {
  /** Whether the pictures get a gradient: needless for training, and not for nothing. */
  readonly pixelGradients?: boolean;
}

type Inputs = PatchEmbedParams & { readonly images: tf.Tensor4D };
type Saved = { readonly images: tf.Tensor4D; readonly weight: tf.Tensor4D };

const operation = differentiable<Inputs, Saved, { readonly pixelGradients: boolean }>({
  name: "PatchEmbed",
  forward: ({ images, weight, bias, classToken, positions }) => {
    const [dim, , patch] = weight.shape;
    const embedded = affine(patches(images, patch), byPixel(weight), bias);
    const tokens = tf.reshape(embedded, [images.shape[0], -1, dim]);
    const first = tf.add(classToken, tf.zeros([images.shape[0], 1, 1])); // a copy for each picture
    const sequences = tf.add(tf.concat([first, tokens], 1), positions);
    return [tf.reshape(sequences, [-1, dim])];
  },
  saved: ({ images, weight }) => ({ images, weight }),
  backward: ({ dy, images, weight }, { pixelGradients }) => {
    const [dim, channels, patch] = weight.shape;
    const pictures = images.shape[0];
    const tokens = (dy.shape[0] as number) / pictures;
    const dPositions = tf.reshape(sumRows(tf.reshape(dy, [pictures, tokens * dim])), [tokens, dim]);
    const dClassToken = tf.reshape(tf.slice(dPositions, 0, 1), [1, 1, dim]);
    const apart = tf.reshape(dy, [pictures, tokens, dim]);
    const dRows = tf.reshape(tf.slice(apart, [0, 1, 0], [-1, tokens - 1, -1]), [-1, dim]);
    const dByPixel = tf.matMul<tf.Tensor2D>(dRows, patches(images, patch), true, false);
    const dWeight = tf.transpose(tf.reshape(dByPixel, [dim, patch, patch, channels]), [0, 3, 1, 2]);
    const gradients = [dWeight, sumRows(dRows as tf.Tensor2D), dClassToken, dPositions];
    if (!pixelGradients) return gradients;
    const dPatches = tf.matMul<tf.Tensor2D>(dRows as tf.Tensor2D, byPixel(weight));
    return [...gradients, fromPatches(dPatches, images.shape, patch)];
  },
});

/** The kernel as a matrix whose columns are in the pixels' order: rows, columns, channels. */
function byPixel(weight: tf.Tensor4D): tf.Tensor2D {
  return tf.reshape(tf.transpose(weight, [0, 2, 3, 1]), [weight.shape[0], -1]);
}

/** `[pictures, rows, columns, channels]` to one row a patch; what the grid does not cover is left out. */
function patches(images: tf.Tensor4D, patch: number): tf.Tensor2D {
  const [pictures, rows, columns, channels] = images.shape;
  const down = Math.floor(rows / patch);
  const across = Math.floor(columns / patch);
  const whole = tf.slice(images, 0, [pictures, down * patch, across * patch, channels]);
  const apart = tf.reshape(whole, [pictures, down, patch, across, patch * channels]);
  return tf.reshape(tf.transpose(apart, [0, 1, 3, 2, 4]), [-1, patch * patch * channels]);
}

/** The way back: pixels that no patch covers are zero. */
function fromPatches(
  rows: tf.Tensor2D,
  [pictures, height, width, channels]: readonly [number, number, number, number],
  patch: number,
): tf.Tensor4D {
  const down = Math.floor(height / patch);
  const across = Math.floor(width / patch);
  const apart = tf.reshape(rows, [pictures, down, across, patch, patch * channels]);
  const whole = tf.reshape(tf.transpose(apart, [0, 1, 3, 2, 4]), [
    pictures,
    down * patch,
    across * patch,
    channels,
  ]) as tf.Tensor4D;
  return tf.pad(whole, [
    [0, 0],
    [0, height - down * patch],
    [0, width - across * patch],
    [0, 0],
  ]);
}

/**
 * Pictures `[pictures, rows, columns, 3]` to the tokens of a Vision Transformer: a class token,
 * then the patches row by row, positions added: `[pictures * (1 + patches), dim]`.
 */
export function patchEmbed(
  images: tf.Tensor4D,
  { weight, bias, classToken, positions }: PatchEmbedParams,
  { pixelGradients = false }: PatchEmbedOptions = {},
): tf.Tensor2D {
  const [dim, , patch] = weight.shape;
  const [, rows, columns] = images.shape;
  assertShape("images", images, [null, null, null, weight.shape[1]]);
  if (rows < patch || columns < patch) {
    throw new ShapeError(
      `images: expected at least ${patch} x ${patch} pixels, got ${rows} x ${columns}`,
    );
  }
  const count = Math.floor(rows / patch) * Math.floor(columns / patch);
  assertShape("positions", positions, [1 + count, dim]);
  const variables = { weight, bias, classToken, positions };
  return (
    pixelGradients
      ? operation({ ...variables, images }, { pixelGradients })
      : operation(variables, { pixelGradients }, { images })
  ) as tf.Tensor2D;
}
