import * as tf from "@tensorflow/tfjs-core";
import { matrix, sizeOf, transposed } from "../heap.ts";
import type { WindowSizes } from "../kernels.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

/** Values that the windows of a few pictures may take at a time, for the memory's sake. */
const windowValues = 4_000_000;

type Shape4D = [number, number, number, number];
type Convolution = tf.backend_util.Conv2DInfo;

interface Attributes {
  readonly strides: [number, number];
  readonly pad: "valid" | "same" | number | [number, number][];
  readonly dataFormat: "NHWC" | "NCHW";
  readonly dimRoundingMode: "floor" | "round" | "ceil";
}
interface PoolAttributes {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number;
  readonly dimRoundingMode: "floor" | "round" | "ceil";
}

/** Convolutions and their gradients as products of matrices, and the gradient of pooling. */
export const convolutionKernels: readonly WasmKernel[] = [
  wasmKernel<
    { readonly x: tf.TensorInfo; readonly filter: tf.TensorInfo },
    Attributes & { readonly dilations: number | readonly number[] }
  >(tf.Conv2D, ({ inputs: { x, filter }, attributes, heap, before }) => {
    const convolution = describe(x.shape as Shape4D, filter.shape as Shape4D, attributes);
    const isDense = [attributes.dilations].flat().every((each) => each === 1);
    if (attributes.dataFormat === "NCHW" || !isDense) return before();
    const columns = filter.shape[3] as number;
    const out = heap.output(convolution.outShape);
    const isPlain = seesItself(convolution);
    for (const { first, sizes, rows, inner } of chunks(convolution)) {
      const windows = isPlain ? x : heap.output([rows, inner]);
      const picture = heap.at(x) + 4 * first * pixels(convolution);
      if (!isPlain) heap.kernels.gatherWindows(picture, ...sizes, heap.at(windows));
      heap.product(
        matrix(isPlain ? picture : heap.at(windows), inner),
        matrix(heap.at(filter), columns),
        matrix(heap.at(out) + 4 * first * outputs(convolution), columns),
        { rows, columns, inner },
      );
      if (!isPlain) heap.free(windows);
    }
    return out;
  }),

  wasmKernel<
    { readonly x: tf.TensorInfo; readonly dy: tf.TensorInfo },
    Attributes & { readonly filterShape: Shape4D }
  >(tf.Conv2DBackpropFilter, ({ inputs: { x, dy }, attributes, heap, before }) => {
    const { filterShape } = attributes;
    const convolution = describe(x.shape as Shape4D, filterShape, attributes);
    if (!fits(dy, convolution, attributes)) return before();
    const columns = filterShape[3];
    const out = heap.output(filterShape);
    for (const { first, sizes, rows, inner } of chunks(convolution)) {
      const isPlain = seesItself(convolution);
      const windows = isPlain ? x : heap.output([rows, inner]);
      const picture = heap.at(x) + 4 * first * pixels(convolution);
      if (!isPlain) heap.kernels.gatherWindows(picture, ...sizes, heap.at(windows));
      const slopes = heap.at(dy) + 4 * first * outputs(convolution);
      heap.product(
        transposed(matrix(isPlain ? picture : heap.at(windows), inner)),
        matrix(slopes, columns),
        matrix(heap.at(out), columns),
        { rows: inner, columns, inner: rows },
        { accumulate: first > 0 },
      );
      if (!isPlain) heap.free(windows);
    }
    return out;
  }),

  wasmKernel<
    { readonly dy: tf.TensorInfo; readonly filter: tf.TensorInfo },
    Attributes & { readonly inputShape: Shape4D }
  >(tf.Conv2DBackpropInput, ({ inputs: { dy, filter }, attributes, heap, before }) => {
    const convolution = describe(attributes.inputShape, filter.shape as Shape4D, attributes);
    if (!fits(dy, convolution, attributes)) return before();
    const channels = filter.shape[3] as number;
    const isPlain = seesItself(convolution);
    const out = heap.output(attributes.inputShape);
    if (!isPlain) heap.kernels.clear(heap.at(out), 4 * sizeOf(out));
    for (const { first, sizes, rows, inner } of chunks(convolution)) {
      const windows = isPlain ? out : heap.output([rows, inner]);
      const picture = heap.at(out) + 4 * first * pixels(convolution);
      heap.product(
        matrix(heap.at(dy) + 4 * first * outputs(convolution), channels),
        transposed(matrix(heap.at(filter), channels)),
        matrix(isPlain ? picture : heap.at(windows), inner),
        { rows, columns: inner, inner: channels },
      );
      if (isPlain) continue;
      heap.kernels.addWindows(heap.at(windows), ...sizes, picture);
      heap.free(windows);
    }
    return out;
  }),

  wasmKernel<{ readonly dy: tf.TensorInfo; readonly input: tf.TensorInfo }, PoolAttributes>(
    tf.MaxPoolGrad,
    ({ inputs: { dy, input }, attributes, heap }) => {
      const { filterSize, strides, pad, dimRoundingMode } = attributes;
      const shape = input.shape as Shape4D;
      const pool = tf.backend_util.computePool2DInfo(
        ...([shape, filterSize, strides, 1, pad, dimRoundingMode] as const),
      );
      const out = heap.output(shape);
      const sizes = windowSizes(pool, shape[0]);
      heap.kernels.maxPoolBack(heap.at(dy), heap.at(input), ...sizes, heap.at(out));
      return out;
    },
  ),
];

function describe(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, pad, dataFormat, dimRoundingMode }: Attributes,
): Convolution {
  return tf.backend_util.computeConv2DInfo(
    ...([inputShape, filterShape, strides, 1, pad as never, dimRoundingMode, false] as const),
    tf.backend_util.convertConv2DDataFormat(dataFormat),
  );
}

/** Whether channels come last, and `dy` is just as large as the convolution's output. */
function fits(dy: tf.TensorInfo, { outShape }: Convolution, { dataFormat }: Attributes): boolean {
  return dataFormat !== "NCHW" && tf.util.arraysEqual(dy.shape, outShape);
}

/** Whether every window is one pixel, and every pixel a window. */
function seesItself({ filterHeight, filterWidth, ...rest }: Convolution): boolean {
  const { outHeight, outWidth, inHeight, inWidth } = rest;
  return filterHeight * filterWidth === 1 && outHeight === inHeight && outWidth === inWidth;
}

/** Values of a picture. */
function pixels({ inHeight, inWidth, inChannels }: Convolution): number {
  return inHeight * inWidth * inChannels;
}

/** Values that the convolution makes of a picture. */
function outputs({ outHeight, outWidth, outChannels }: Convolution): number {
  return outHeight * outWidth * outChannels;
}

function windowSizes(
  info: Convolution | ReturnType<typeof tf.backend_util.computePool2DInfo>,
  pictures: number,
): WindowSizes {
  const { inHeight, inWidth, inChannels, filterHeight, filterWidth } = info;
  const { strideHeight, strideWidth, padInfo, outHeight, outWidth } = info;
  return [
    ...([pictures, inHeight, inWidth, inChannels, filterHeight, filterWidth] as const),
    ...([strideHeight, strideWidth, padInfo.top, padInfo.left, outHeight, outWidth] as const),
  ];
}

/** As many pictures at a time as their windows are allowed to take. */
function chunks(convolution: Convolution): readonly {
  readonly first: number;
  readonly sizes: WindowSizes;
  readonly rows: number;
  readonly inner: number;
}[] {
  const { batchSize, outHeight, outWidth, filterHeight, filterWidth, inChannels } = convolution;
  const inner = filterHeight * filterWidth * inChannels;
  const places = outHeight * outWidth;
  const most = Math.max(1, Math.floor(windowValues / (places * inner)));
  return Array.from({ length: Math.ceil(batchSize / most) }, (_, i) => {
    const pictures = Math.min(most, batchSize - i * most);
    const sizes = windowSizes(convolution, pictures);
    return { first: i * most, sizes, rows: pictures * places, inner };
  });
}
