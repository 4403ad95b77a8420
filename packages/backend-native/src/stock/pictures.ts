import type * as tf from "@tensorflow/tfjs-core";
import type { NativeKernel } from "../operations/native-kernel.ts";
import { areFloats, none, sizeFromShape, stockKernel } from "./stock-kernel.ts";

interface Normalised {
  readonly x: tf.TensorInfo;
  readonly mean: tf.TensorInfo;
  readonly variance: tf.TensorInfo;
  readonly scale?: tf.TensorInfo;
  readonly offset?: tf.TensorInfo;
}

const batchNorm = stockKernel<Normalised, { readonly varianceEpsilon?: number }>(
  "FusedBatchNorm",
  ({ inputs, attributes, backend, native }) => {
    const { x, mean, variance, scale, offset } = inputs;
    const channels = x.shape.at(-1);
    const isChannels = (tensor: tf.TensorInfo | undefined) =>
      !tensor || (tensor.shape.length === 1 && tensor.shape[0] === channels);
    const isOurs = [mean, variance, scale, offset].every(isChannels);
    const isEmpty = sizeFromShape(x.shape) === 0;
    if (!isOurs || isEmpty || !areFloats(x, mean, variance, scale, offset)) return undefined;
    const y = backend.output(x.shape);
    const optional = (tensor: tf.TensorInfo | undefined) =>
      tensor ? backend.values(tensor) : none;
    native.stockBatchNorm(
      backend.values(x),
      backend.values(mean),
      backend.values(variance),
      optional(scale),
      optional(offset),
      backend.values(y),
      attributes.varianceEpsilon ?? 0.001,
    );
    return y;
  },
);

interface Corners {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Images, height and width before and after, channels: pictures `[images, height, width, channels]`. */
function sizesOf(before: readonly number[], [height = 0, width = 0]: readonly number[]) {
  const [images = 0, fromHeight = 0, fromWidth = 0, channels = 0] = before;
  return Uint32Array.of(images, fromHeight, fromWidth, height, width, channels);
}

const resize = (
  name: "ResizeBilinear" | "ResizeNearestNeighbor",
  interpolation: "Bilinear" | "Nearest",
) =>
  stockKernel<
    { readonly images: tf.TensorInfo },
    Corners & { readonly size: readonly [number, number] }
  >(name, ({ inputs: { images }, attributes, backend, native }) => {
    const { alignCorners, halfPixelCenters, size } = attributes;
    const sizes = sizesOf(images.shape, size);
    if (!areFloats(images) || sizes.includes(0)) return undefined;
    const y = backend.output([sizes[0] ?? 0, ...size, sizes[5] ?? 0]);
    const [from, to] = [backend.values(images), backend.values(y)];
    const code = native.Interpolation[interpolation];
    native.stockResize(code, from, to, sizes, !!alignCorners, !!halfPixelCenters);
    return y;
  });

/**
 * tfjs's own one takes height for width, and pays no heed to where pixels' centres are; this is
 * the gradient of what `ResizeBilinear` computes.
 */
const resizeGradient = stockKernel<
  { readonly images: tf.TensorInfo; readonly dy: tf.TensorInfo },
  Corners
>("ResizeBilinearGrad", ({ inputs: { images, dy }, attributes, backend, native }) => {
  const { alignCorners, halfPixelCenters } = attributes;
  const sizes = sizesOf(images.shape, dy.shape.slice(1, 3));
  if (!areFloats(images, dy) || sizes.includes(0)) return undefined;
  const dx = backend.output(images.shape);
  const [from, to] = [backend.values(dy), backend.values(dx)];
  const code = native.Interpolation.BilinearGradient;
  native.stockResize(code, from, to, sizes, !!alignCorners, !!halfPixelCenters);
  return dx;
});

interface Projection {
  readonly interpolation: "nearest" | "bilinear";
  readonly fillMode: "constant" | "reflect" | "wrap" | "nearest";
  readonly fillValue: number;
  readonly outputShape?: readonly [number, number];
}

/** tfjs's own one leaves out all images but the first. */
const transform = stockKernel<
  { readonly image: tf.TensorInfo; readonly transforms: tf.TensorInfo },
  Projection
>("Transform", ({ inputs: { image, transforms }, attributes, backend, native }) => {
  const { interpolation, fillMode, fillValue, outputShape } = attributes;
  const size = outputShape ?? image.shape.slice(1, 3);
  const sizes = sizesOf(image.shape, size);
  const mode = native.FillMode[fillMode];
  if (!areFloats(image, transforms) || sizes.includes(0) || mode === undefined) return undefined;
  const y = backend.output([sizes[0] ?? 0, ...size, sizes[5] ?? 0]);
  native.stockTransform(
    backend.values(image),
    backend.values(transforms),
    backend.values(y),
    sizes,
    interpolation === "bilinear",
    mode,
    fillValue,
  );
  return y;
});

/** Kernels of pictures: normalised, resized, transformed. */
export const pictureKernels: readonly NativeKernel[] = [
  batchNorm,
  resize("ResizeBilinear", "Bilinear"),
  resize("ResizeNearestNeighbor", "Nearest"),
  resizeGradient,
  transform,
];
