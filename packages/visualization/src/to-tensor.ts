import { imageTensor, type Pixels } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { assertPixels } from "./pixels.ts";

/** A picture as what a backbone takes: `[1, rows, columns, 3]`, normalised as ImageNet's are. */
export function toTensor(picture: Pixels): tf.Tensor4D {
  assertPixels("picture", picture);
  return imageTensor(picture.data, [1, picture.height, picture.width]);
}
