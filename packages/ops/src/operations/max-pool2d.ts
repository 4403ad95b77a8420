import * as tf from "@tensorflow/tfjs-core";
import { padPictures, unpadPictures } from "../composite/pictures.ts";
import { differentiable } from "../operation.ts";
import { assertWindow } from "./conv2d.ts";

export interface MaxPool2dOptions {
  /** Rows and columns of a window. */
  readonly size: number;
  /** Pixels from one window to the next, down and across. */
  readonly stride?: number;
  /** Rows and columns on each side that never are the largest. */
  readonly padding?: number;
}

/** The lowest float32: an infinity may be assumed away by a GPU. */
const lowest = -3.4028234663852886e38;

type X = { readonly x: tf.Tensor4D };
type Saved = X & { readonly y: tf.Tensor4D };

const operation = differentiable<X, Saved, Required<MaxPool2dOptions>>({
  name: "MaxPool2d",
  forward: ({ x }, { size, stride, padding }) => [
    tf.maxPool(padPictures(x, padding, lowest), size, stride, "valid"),
  ],
  saved: ({ x }, [y]) => ({ x, y: y as tf.Tensor4D }),
  backward: ({ dy, x, y }, { size, stride, padding }) => {
    const attributes = { filterSize: [size, size], strides: [stride, stride], pad: "valid" };
    const dPadded = tf
      .engine()
      .runKernel<tf.Tensor4D>(
        "MaxPoolGrad",
        { dy, input: padPictures(x, padding, lowest), output: y },
        { ...attributes, dimRoundingMode: undefined } as unknown as tf.NamedAttrMap,
      );
    return [unpadPictures(dPadded, padding)];
  },
});

/**
 * The largest value of every window: `[pictures, rows, columns, channels]` to fewer rows and
 * columns. Of equal values the first one gets the gradient, as in PyTorch (on stock WebGPU the last).
 */
export function maxPool2d(
  x: tf.Tensor4D,
  { size, stride = size, padding = 0 }: MaxPool2dOptions,
): tf.Tensor4D {
  assertWindow(x, [size, size], padding);
  return operation({ x }, { size, stride, padding }) as tf.Tensor4D;
}
