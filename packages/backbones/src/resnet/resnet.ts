import { assertShape, conv2d, maxPool2d, type Params, parameter, ShapeError } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { Backbone, Training } from "../backbone.ts";
import { batchNorm, isRunningStatistic } from "../batch-norm.ts";
import { type ConvolutionSize, convolutionSizes } from "./convolution-sizes.ts";
import { type Block, type Layer, resnetLayers } from "./layers.ts";
import { resnetInit, resnetShapes } from "./parameters.ts";
import { type ResnetName, type ResnetSizes, resnetSizes } from "./sizes.ts";

export interface ResnetOptions {
  /** Whether gradients reach the pictures, which training has no use for. */
  readonly pixelGradients?: boolean;
}

export interface Resnet extends Backbone {
  readonly sizes: ResnetSizes;
  readonly buffers: readonly string[];
  trainingFloats(rows: number, columns: number): number;
  /** Every convolution and the pixels that it makes of a picture of this size: what there is to compute. */
  convolutions(rows: number, columns: number): readonly ConvolutionSize[];
}

/** A ResNet of a published size: `resnet("resnet50")`. */
export function resnet(name: ResnetName, options?: ResnetOptions): Resnet;
/** A ResNet of any size. */
export function resnet(options: ResnetSizes & ResnetOptions): Resnet;
export function resnet(
  nameOrOptions: ResnetName | (ResnetSizes & ResnetOptions),
  options: ResnetOptions = {},
): Resnet {
  if (typeof nameOrOptions !== "string")
    return residualNetwork("resnet", nameOrOptions, nameOrOptions);
  if (Object.hasOwn(resnetSizes, nameOrOptions)) {
    return residualNetwork(nameOrOptions, resnetSizes[nameOrOptions], options);
  }
  const known = Object.keys(resnetSizes).join(", ");
  throw new RangeError(`name: expected one of ${known}, got ${nameOrOptions}`);
}

/**
 * The ResNet of torchvision without its classifier (He et al. 2015,
 * https://arxiv.org/abs/1512.03385): the mean over rows and columns of the last block is the feature.
 */
function residualNetwork(
  name: string,
  sizes: ResnetSizes,
  { pixelGradients = false }: ResnetOptions,
): Resnet {
  assertSizes(sizes);
  const layers = resnetLayers(sizes);
  const { stem, blocks, outputs } = layers;
  const parameterShapes = resnetShapes(layers);

  return {
    name,
    sizes,
    embedDim: outputs,
    parameterShapes,
    buffers: Object.keys(parameterShapes).filter(isRunningStatistic),

    init: (random) =>
      Object.fromEntries(
        Object.entries(parameterShapes).map(([name, shape]) => [
          name,
          resnetInit(random, name, shape),
        ]),
      ),

    forward: (params, images, mode) =>
      tf.tidy(() => {
        assertImages(images);
        const pooled = tf.tidy(() => {
          const inputGradient = pixelGradients;
          const y = layer(params, stem, images, mode, { activation: "relu", inputGradient });
          return maxPool2d(y, { size: 3, stride: 2, padding: 1 });
        });
        const y = blocks.reduce((x, each) => block(params, each, x, mode), pooled);
        return tf.mean<tf.Tensor2D>(y, [1, 2]);
      }),

    convolutions: (rows, columns) => convolutionSizes(layers, rows, columns),

    // Of every layer: what its norm and what the next layer saves, and the gradients of both.
    trainingFloats: (rows, columns) =>
      convolutionSizes(layers, rows, columns).reduce(
        (sum, size) => sum + 4 * size.rows * size.columns * size.outputs,
        0,
      ),
  };
}

/** A residual block: what its layers make, added to what came in. */
function block(
  params: Params,
  { layers, projection }: Block,
  x: tf.Tensor4D,
  mode: Training | undefined,
): tf.Tensor4D {
  return tf.tidy(() => {
    const residual = projection ? layer(params, projection, x, mode) : x;
    const last = layers.length - 1;
    return layers.reduce(
      (y, each, i) =>
        layer(params, each, y, mode, {
          activation: "relu",
          ...(i === last && { residual }),
        }),
      x,
    );
  });
}

interface Ending {
  readonly activation?: "none" | "relu";
  readonly residual?: tf.Tensor4D;
  readonly inputGradient?: boolean;
}

/** Convolution, normalisation, and what ends them. */
function layer(
  params: Params,
  { conv, norm, kernel, stride }: Layer,
  x: tf.Tensor4D,
  mode: Training | undefined,
  { activation = "none", residual, inputGradient = true }: Ending = {},
): tf.Tensor4D {
  const padding = (kernel - 1) / 2;
  const weight = parameter<tf.Tensor4D>(params, `${conv}weight`);
  const y = conv2d(x, weight, { stride, padding, inputGradient });
  const rows = (pictures: tf.Tensor4D) => tf.reshape(pictures, [-1, y.shape[3]]) as tf.Tensor2D;
  const normed = batchNorm(params, norm, rows(y), mode, {
    activation,
    residual: residual && rows(residual),
  });
  return tf.reshape(normed, y.shape);
}

function assertImages(images: tf.Tensor4D): void {
  assertShape("images", images, [null, null, null, 3]);
  const [, rows, columns] = images.shape;
  if (rows > 0 && columns > 0) return;
  throw new ShapeError(`images: expected at least 1 x 1 pixels, got ${rows} x ${columns}`);
}

function assertSizes({ block, blocks, width = 64 }: ResnetSizes): void {
  if (block !== "basic" && block !== "bottleneck") {
    throw new RangeError(`block: expected basic or bottleneck, got ${block}`);
  }
  const isCount = (n: number) => Number.isSafeInteger(n) && n >= 1;
  if (blocks.length !== 4 || !blocks.every(isCount)) {
    throw new RangeError(`blocks: expected four positive integers, got ${blocks.join(", ")}`);
  }
  if (!isCount(width)) throw new RangeError(`width: expected a positive integer, got ${width}`);
}
