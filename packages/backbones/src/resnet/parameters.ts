import { kaimingNormal } from "@dino/ops";
import type { Random } from "@dino/random";
import type * as tf from "@tensorflow/tfjs-core";
import { batchNormInit, batchNormShapes } from "../batch-norm.ts";
import type { Layer, Layers } from "./layers.ts";

/** Names and shapes of torchvision's state dict, in its order, without the classifier. */
export function resnetShapes({ stem, blocks }: Layers): Record<string, readonly number[]> {
  const layers = blocks.flatMap(({ layers, projection }) =>
    projection ? [...layers, projection] : layers,
  );
  return Object.assign({}, ...[stem, ...layers].map(layerShapes));
}

function layerShapes({
  conv,
  norm,
  inputs,
  outputs,
  kernel,
}: Layer): Record<string, readonly number[]> {
  return {
    [`${conv}weight`]: [outputs, inputs, kernel, kernel],
    ...batchNormShapes(norm, outputs),
  };
}

/**
 * A parameter as torchvision begins with it: convolutions normal by what leaves them (He et al.
 * 2015), norms at 1 and 0.
 */
export function resnetInit(random: Random, name: string, shape: readonly number[]): tf.Tensor {
  const [outputs, , rows, columns] = shape;
  if (outputs === undefined || rows === undefined || columns === undefined) {
    return batchNormInit(name, shape);
  }
  return kaimingNormal(random, shape, outputs * rows * columns);
}
