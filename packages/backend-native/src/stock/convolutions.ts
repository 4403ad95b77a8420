import * as tf from "@tensorflow/tfjs-core";
import type { NativeKernel } from "../operations/native-kernel.ts";
import { type Activation, clamp, finish } from "./products.ts";
import { areFloats, none, sizeFromShape, stockKernel } from "./stock-kernel.ts";

type Pair = number | [number, number];
type Padding = "valid" | "same" | number | tf.backend_util.ExplicitPadding;

interface Window {
  readonly strides: Pair;
  readonly pad: Padding;
  readonly dataFormat?: "NHWC" | "NCHW";
  readonly dilations?: Pair;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

type Shape4D = [number, number, number, number];

/** The sizes of a convolution, or nothing where it is not one of ours. */
function convolution(
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dataFormat, dilations = 1, dimRoundingMode }: Window,
  isDepthwise = false,
): tf.backend_util.Conv2DInfo | undefined {
  if (dataFormat === "NCHW") return undefined;
  const info = tf.backend_util.computeConv2DInfo(
    input as Shape4D,
    filter as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    isDepthwise,
    "channelsLast",
  );
  return isEmpty(info) ? undefined : info;
}

const isEmpty = ({ inShape, outShape, filterShape }: tf.backend_util.Conv2DInfo) =>
  [inShape, outShape, filterShape].some((shape) => sizeFromShape(shape) === 0);

/** The sizes as the addon wants them; `filters` are those of each channel where they are its own. */
function sizesOf(info: tf.backend_util.Conv2DInfo, filters = info.outChannels): Int32Array {
  return Int32Array.of(
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outHeight,
    info.outWidth,
    filters,
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
  );
}

type Convolved = { readonly x: tf.TensorInfo; readonly filter: tf.TensorInfo };

const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

const conv2D = stockKernel<Convolved, Window>(
  "Conv2D",
  ({ inputs: { x, filter }, attributes, backend, native }) => {
    const info = areFloats(x, filter) && convolution(x.shape, filter.shape, attributes);
    if (!info) return undefined;
    const y = backend.output(info.outShape);
    const [from, weights] = [backend.values(x), backend.values(filter)];
    native.stockConvolve(from, weights, none, backend.values(y), sizesOf(info), ...unbounded);
    return y;
  },
);

interface Fused extends Convolved {
  readonly bias?: tf.TensorInfo;
  readonly preluActivationWeights?: tf.TensorInfo;
}

const fusedConv2D = stockKernel<Fused, Window & Activation>(
  "FusedConv2D",
  ({ inputs, attributes, backend, native }) => {
    const { x, filter, bias, preluActivationWeights } = inputs;
    if (!areFloats(x, filter, bias, preluActivationWeights)) return undefined;
    const info = convolution(x.shape, filter.shape, attributes);
    if (info === undefined) return undefined;
    const n = info.outChannels;
    const isVector = !bias || (bias.shape.at(-1) === n && sizeFromShape(bias.shape) === n);
    const bounds = isVector ? clamp(attributes.activation) : undefined;
    const added = bias && bounds ? backend.values(bias) : none;
    const y = backend.output(info.outShape);
    native.stockConvolve(
      backend.values(x),
      backend.values(filter),
      added,
      backend.values(y),
      sizesOf(info),
      ...(bounds ?? unbounded),
    );
    return bounds ? y : finish(backend, y, { bias, preluActivationWeights }, attributes);
  },
);

const inputGradient = stockKernel<
  { readonly dy: tf.TensorInfo; readonly filter: tf.TensorInfo },
  Window & { readonly inputShape: readonly number[] }
>("Conv2DBackpropInput", ({ inputs: { dy, filter }, attributes, backend, native }) => {
  const window = { ...attributes, dilations: 1 };
  const info = areFloats(dy, filter) && convolution(attributes.inputShape, filter.shape, window);
  // A transposed convolution may be given more than its sizes ask for.
  if (!info || !tf.util.arraysEqual(dy.shape, info.outShape)) return undefined;
  const dx = backend.output(info.inShape);
  const [from, weights] = [backend.values(dy), backend.values(filter)];
  native.stockInputGradient(from, weights, backend.values(dx), sizesOf(info));
  return dx;
});

const filterGradient = stockKernel<
  { readonly x: tf.TensorInfo; readonly dy: tf.TensorInfo },
  Window & { readonly filterShape: readonly number[] }
>("Conv2DBackpropFilter", ({ inputs: { x, dy }, attributes, backend, native }) => {
  const window = { ...attributes, dilations: 1 };
  const info = areFloats(x, dy) && convolution(x.shape, attributes.filterShape, window);
  if (!info || !tf.util.arraysEqual(dy.shape, info.outShape)) return undefined;
  const dw = backend.output(info.filterShape);
  const [from, gradient] = [backend.values(x), backend.values(dy)];
  native.stockFilterGradient(from, gradient, backend.values(dw), sizesOf(info));
  return dw;
});

const depthwise = stockKernel<Convolved, Window>(
  "DepthwiseConv2dNative",
  ({ inputs: { x, filter }, attributes, backend, native }) => {
    const window = { ...attributes, dilations: attributes.dilations ?? 1 };
    tf.util.assert(
      tf.backend_util.eitherStridesOrDilationsAreOne(window.strides, window.dilations),
      () =>
        "Error in depthwiseConv2d: Either strides or dilations must be 1. Got strides " +
        `${window.strides} and dilations '${window.dilations}'`,
    );
    const info = areFloats(x, filter) && convolution(x.shape, filter.shape, window, true);
    if (!info) return undefined;
    const y = backend.output(info.outShape);
    const sizes = sizesOf(info, info.outChannels / info.inChannels);
    native.stockDepthwise(backend.values(x), backend.values(filter), backend.values(y), sizes);
    return y;
  },
);

interface Pool {
  readonly filterSize: Pair;
  readonly strides: Pair;
  readonly pad: Padding;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

function pooling(
  shape: readonly number[],
  { filterSize, strides, pad, dimRoundingMode }: Pool,
): tf.backend_util.Conv2DInfo {
  const input = shape as Shape4D;
  return tf.backend_util.computePool2DInfo(input, filterSize, strides, 1, pad, dimRoundingMode);
}

const pool = (name: "MaxPool" | "AvgPool") =>
  stockKernel<{ readonly x: tf.TensorInfo }, Pool>(
    name,
    ({ inputs: { x }, attributes, backend, native }) => {
      const info = pooling(x.shape, attributes);
      if (!areFloats(x) || isEmpty(info)) return undefined;
      const isSame = info.filterWidth === 1 && info.filterHeight === 1;
      if (isSame && tf.util.arraysEqual(info.inShape, info.outShape)) return backend.same(x);
      const y = backend.output(info.outShape);
      const isMax = name === "MaxPool";
      native.stockPool(isMax, backend.values(x), backend.values(y), sizesOf(info, 1));
      return y;
    },
  );

const maxPoolGradient = stockKernel<
  { readonly dy: tf.TensorInfo; readonly input: tf.TensorInfo },
  Pool
>("MaxPoolGrad", ({ inputs: { dy, input }, attributes, backend, native }) => {
  const info = pooling(input.shape, attributes);
  if (!areFloats(dy, input) || isEmpty(info)) return undefined;
  const dx = backend.output(input.shape);
  const [x, gradient] = [backend.values(input), backend.values(dy)];
  native.stockMaxPoolGradient(x, gradient, backend.values(dx), sizesOf(info, 1));
  return dx;
});

const meanPoolGradient = stockKernel<
  { readonly dy: tf.TensorInfo; readonly input: tf.TensorInfo },
  Pool
>("AvgPoolGrad", ({ inputs: { dy, input }, attributes, backend, native }) => {
  const info = pooling(input.shape, attributes);
  if (!areFloats(dy, input) || isEmpty(info)) return undefined;
  const dx = backend.output(input.shape);
  native.stockMeanPoolGradient(backend.values(dy), backend.values(dx), sizesOf(info, 1));
  return dx;
});

/** Convolutions and pooling, with their gradients. */
export const convolutionKernels: readonly NativeKernel[] = [
  conv2D,
  fusedConv2D,
  inputGradient,
  filterGradient,
  depthwise,
  pool("MaxPool"),
  pool("AvgPool"),
  maxPoolGradient,
  meanPoolGradient,
];
