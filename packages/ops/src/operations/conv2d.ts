import * as tf from "@tensorflow/tfjs-core";
import { padPictures, unpadPictures } from "../composite/pictures.ts";
import { differentiable } from "../operation.ts";
import { assertShape, ShapeError } from "../shape.ts";

export interface Conv2dOptions {
  /** Pixels from one place of the kernel to the next, down and across. */
  readonly stride?: number;
  /** Rows and columns of zeros on each side. */
  readonly padding?: number;
  /** Whether `x` gets a gradient; the first layer saves time without. */
  readonly inputGradient?: boolean;
}

type Inputs = { readonly x: tf.Tensor4D; readonly weight: tf.Tensor4D };
type Attributes = Required<Conv2dOptions>;

const operation = differentiable<Inputs, Inputs, Attributes>({
  name: "Conv2d",
  forward: ({ x, weight }, { stride, padding }) => [
    tf.conv2d(padPictures(x, padding, 0), tf.transpose(weight, [2, 3, 1, 0]), stride, "valid"),
  ],
  saved: (inputs) => inputs,
  backward: ({ dy, x, weight }, { stride, padding, inputGradient }) => {
    // Padded by hand, because TensorFlow's backward kernels refuse explicit padding.
    const padded = padPictures(x, padding, 0);
    const filter = tf.transpose(weight, [2, 3, 1, 0]);
    const attributes = {
      strides: [stride, stride],
      pad: "valid",
      dataFormat: "NHWC",
      dimRoundingMode: undefined,
    };
    const dFilter = tf.engine().runKernel<tf.Tensor4D>("Conv2DBackpropFilter", { x: padded, dy }, {
      ...attributes,
      filterShape: filter.shape,
    } as unknown as tf.NamedAttrMap);
    const dWeight = tf.transpose(dFilter, [3, 2, 0, 1]);
    if (!inputGradient) return [dWeight];
    const dPadded = tf.engine().runKernel<tf.Tensor4D>("Conv2DBackpropInput", { dy, filter }, {
      ...attributes,
      inputShape: padded.shape,
    } as unknown as tf.NamedAttrMap);
    return [dWeight, unpadPictures(dPadded, padding)];
  },
});

/**
 * A convolution without bias: pictures `x` `[pictures, rows, columns, in]`, `weight`
 * `[out, in, kernel rows, kernel columns]` as in PyTorch, zeros around the pictures.
 */
export function conv2d(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  { stride = 1, padding = 0, inputGradient = true }: Conv2dOptions = {},
): tf.Tensor4D {
  const [, channels, rows, columns] = weight.shape;
  assertShape("x", x, [null, null, null, channels]);
  assertWindow(x, [rows, columns], padding);
  const attributes = { stride, padding, inputGradient };
  return (
    inputGradient ? operation({ weight, x }, attributes) : operation({ weight }, attributes, { x })
  ) as tf.Tensor4D;
}

/** Throws unless a window of this size fits into the padded pictures. */
export function assertWindow(
  x: tf.Tensor4D,
  [rows, columns]: readonly [number, number],
  padding: number,
): void {
  const [down, across] = [x.shape[1] + 2 * padding, x.shape[2] + 2 * padding];
  if (down >= rows && across >= columns) return;
  throw new ShapeError(
    `x: expected at least ${rows} x ${columns} pixels with padding, got ${down} x ${across}`,
  );
}
