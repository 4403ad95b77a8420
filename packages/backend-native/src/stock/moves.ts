import * as tf from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../native-backend.ts";
import type { NativeKernel } from "../operations/native-kernel.ts";
import type { StockFunctions } from "./stock-functions.ts";
import { areFloats, sizeFromShape, stockKernel, strides } from "./stock-kernel.ts";

type One = { readonly x: tf.TensorInfo };

/** An axis along which numbers are copied: its size, and how far result and source move. */
type Axis = readonly [size: number, to: number, from: number];

/** Where a kernel runs. */
interface Place {
  readonly backend: NativeBackend;
  readonly native: StockFunctions;
}

function copy(
  { backend, native }: Place,
  x: tf.TensorInfo,
  y: tf.TensorInfo,
  axes: readonly Axis[],
  { to = 0, from = 0 }: { readonly to?: number; readonly from?: number } = {},
): void {
  if (axes.some(([size]) => size === 0)) return;
  const numbers = Int32Array.from(axes.flat());
  native.stockRearrange(backend.values(x), backend.values(y), numbers, to, from);
}

/** The shape's axes, with steps by axis. */
function axesOf(
  shape: readonly number[],
  to: readonly number[],
  from: readonly number[],
): readonly Axis[] {
  return shape.map((size, axis) => [size, to[axis] ?? 0, from[axis] ?? 0] as const);
}

const offset = (begin: readonly number[], steps: readonly number[]) =>
  begin.reduce((sum, index, axis) => sum + index * (steps[axis] ?? 0), 0);

const transpose = stockKernel<One, { readonly perm: readonly number[] }>(
  "Transpose",
  ({ inputs: { x }, attributes: { perm }, ...place }) => {
    if (!areFloats(x)) return undefined;
    const shape = perm.map((axis) => x.shape[axis] ?? 1);
    const y = place.backend.output(shape);
    const from = strides(x.shape);
    const turned = perm.map((axis) => from[axis] ?? 0);
    copy(place, x, y, axesOf(shape, strides(shape), turned));
    return y;
  },
);

/** A box of `x`, as a tensor of its own: nothing else may see the memory of a tensor. */
function box(
  place: Place,
  x: tf.TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): tf.TensorInfo {
  const y = place.backend.output(size);
  const from = strides(x.shape);
  copy(place, x, y, axesOf(size, strides(size), from), { from: offset(begin, from) });
  return y;
}

const slice = stockKernel<One, { readonly begin: number[]; readonly size: number[] }>(
  "Slice",
  ({ inputs: { x }, attributes, ...place }) => {
    if (!areFloats(x)) return undefined;
    const [begin = [], size = []] = tf.slice_util.parseSliceParams(
      x as tf.Tensor,
      attributes.begin,
      attributes.size,
    );
    tf.slice_util.assertParamsValid(x as tf.Tensor, begin as number[], size as number[]);
    return box(place, x, begin as number[], size as number[]);
  },
);

const split = stockKernel<
  One,
  { readonly numOrSizeSplits: number[] | number; readonly axis: number }
>("SplitV", ({ inputs: { x }, attributes, ...place }) => {
  if (!areFloats(x)) return undefined;
  const [axis = 0] = tf.util.parseAxisParam(attributes.axis, x.shape);
  const { numOrSizeSplits } = attributes;
  const parts = tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, axis);
  let start = 0;
  return parts.map((part) => {
    const size = x.shape.map((whole, i) => (i === axis ? part : whole));
    const begin = x.shape.map((_, i) => (i === axis ? start : 0));
    start += part;
    return box(place, x, begin, size);
  });
});

const unpack = stockKernel<{ readonly value: tf.TensorInfo }, { readonly axis: number }>(
  "Unpack",
  ({ inputs: { value }, attributes, ...place }) => {
    if (!areFloats(value)) return undefined;
    const axis = attributes.axis < 0 ? attributes.axis + value.shape.length : attributes.axis;
    const size = value.shape.map((whole, i) => (i === axis ? 1 : whole));
    const shape = value.shape.filter((_, i) => i !== axis);
    return Array.from({ length: value.shape[axis] ?? 0 }, (_, index) => {
      const begin = value.shape.map((_, i) => (i === axis ? index : 0));
      return { ...box(place, value, begin, size), shape };
    });
  },
);

/** Puts arrays next to each other along `axis` of `shape`. */
function join(
  place: Place,
  tensors: readonly tf.TensorInfo[],
  shape: readonly number[],
  axis: number,
): tf.TensorInfo {
  const y = place.backend.output(shape);
  const outer = sizeFromShape(shape.slice(0, axis));
  const whole = sizeFromShape(shape.slice(axis));
  let start = 0;
  for (const tensor of tensors) {
    const inner = sizeFromShape(tensor.shape) / Math.max(outer, 1);
    const axes: readonly Axis[] = [
      [outer, whole, inner],
      [inner, 1, 1],
    ];
    copy(place, tensor, y, axes, { to: start });
    start += inner;
  }
  return y;
}

const concat = stockKernel<readonly tf.TensorInfo[], { readonly axis: number }>(
  "Concat",
  ({ inputs, attributes, ...place }) => {
    const tensors = Object.values(inputs);
    const [first] = tensors;
    if (first === undefined || !areFloats(...tensors)) return undefined;
    const [axis = 0] = tf.util.parseAxisParam(attributes.axis, first.shape);
    const shapes = tensors.map((tensor) => tensor.shape);
    tf.backend_util.assertParamsConsistent(shapes, axis);
    const shape = tf.backend_util.computeOutShape(shapes, axis);
    const filled = tensors.filter((tensor) => sizeFromShape(tensor.shape) > 0);
    const [only] = filled;
    if (only !== undefined && filled.length === 1) return place.backend.same(only);
    return join(place, filled, shape, axis);
  },
);

const pack = stockKernel<readonly tf.TensorInfo[], { readonly axis: number }>(
  "Pack",
  ({ inputs, attributes: { axis }, ...place }) => {
    const tensors = Object.values(inputs);
    const [first] = tensors;
    if (first === undefined || !areFloats(...tensors)) return undefined;
    for (const { shape } of tensors) {
      const message = "All tensors passed to stack must have matching shapes";
      tf.util.assertShapesMatch(first.shape, shape, message);
    }
    const at = axis < 0 ? axis + first.shape.length + 1 : axis;
    const shape = [...first.shape.slice(0, at), tensors.length, ...first.shape.slice(at)];
    return join(place, tensors, shape, at);
  },
);

const pad = stockKernel<
  One,
  { readonly paddings: readonly (readonly [number, number])[]; readonly constantValue: number }
>("PadV2", ({ inputs: { x }, attributes: { paddings, constantValue }, ...place }) => {
  if (!areFloats(x)) return undefined;
  const shape = x.shape.map((size, i) => {
    const [before = 0, after = 0] = paddings[i] ?? [];
    return before + size + after;
  });
  const y = place.backend.output(shape);
  place.backend.values(y).fill(constantValue);
  const to = strides(shape);
  const start = offset(
    paddings.map(([before]) => before),
    to,
  );
  copy(place, x, y, axesOf(x.shape, to, strides(x.shape)), { to: start });
  return y;
});

const tile = stockKernel<One, { readonly reps: readonly number[] }>(
  "Tile",
  ({ inputs: { x }, attributes: { reps }, ...place }) => {
    // Each axis may become two, and the addon takes eight.
    if (!areFloats(x) || x.shape.length > 4) return undefined;
    const shape = x.shape.map((size, axis) => size * (reps[axis] ?? 1));
    const y = place.backend.output(shape);
    const [to, from] = [strides(shape), strides(x.shape)];
    const axes = x.shape.flatMap((size, axis): Axis[] => {
      const step = to[axis] ?? 0;
      return [
        [reps[axis] ?? 1, step * size, 0],
        [size, step, from[axis] ?? 0],
      ];
    });
    copy(place, x, y, axes);
    return y;
  },
);

/** `x` with the order along some axes turned round. */
function turnedRound(place: Place, x: tf.TensorInfo, axes: readonly number[]): tf.TensorInfo {
  const y = place.backend.output(x.shape);
  const to = strides(x.shape);
  const from = to.map((step, axis) => (axes.includes(axis) ? -step : step));
  const ends = x.shape.map((size, axis) => (axes.includes(axis) ? size - 1 : 0));
  copy(place, x, y, axesOf(x.shape, to, from), { from: offset(ends, to) });
  return y;
}

const reverse = stockKernel<One, { readonly dims: number | number[] }>(
  "Reverse",
  ({ inputs: { x }, attributes: { dims }, ...place }) => {
    if (!areFloats(x)) return undefined;
    return turnedRound(place, x, tf.util.parseAxisParam(dims, x.shape));
  },
);

const flipLeftRight = stockKernel<{ readonly image: tf.TensorInfo }>(
  "FlipLeftRight",
  ({ inputs: { image }, ...place }) =>
    areFloats(image) ? turnedRound(place, image, [2]) : undefined,
);

const gather = stockKernel<
  { readonly x: tf.TensorInfo; readonly indices: tf.TensorInfo },
  { readonly axis: number; readonly batchDims?: number }
>("GatherV2", ({ inputs: { x, indices }, attributes, backend, native }) => {
  const picked = backend.values<tf.TypedArray>(indices);
  if (!areFloats(x) || !(picked instanceof Int32Array)) return undefined;
  const [axis = 0] = tf.util.parseAxisParam(attributes.axis, x.shape);
  const last = (x.shape[axis] ?? 0) - 1;
  for (const index of picked) {
    const isThere = index >= 0 && index <= last;
    if (!isThere) throw new Error(`GatherV2: the index value ${index} is not in [0, ${last}]`);
  }
  const { collectGatherOpShapeInfo } = tf.backend_util.segment_util;
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = collectGatherOpShapeInfo(
    x as tf.Tensor,
    indices as tf.Tensor,
    axis,
    attributes.batchDims ?? 0,
  );
  const y = backend.output(outputShape);
  const values = backend.values(y);
  if (values.length === 0) return y;
  const sizes = [batchSize, outerSize, dimSize, sliceSize] as const;
  native.stockGather(backend.values(x), picked, values, ...sizes);
  return y;
});

const unsortedSegmentSum = stockKernel<
  { readonly x: tf.TensorInfo; readonly segmentIds: tf.TensorInfo },
  { readonly numSegments: number }
>("UnsortedSegmentSum", ({ inputs: { x, segmentIds }, attributes, backend, native }) => {
  const ids = backend.values<tf.TypedArray>(segmentIds);
  const width = sizeFromShape(x.shape.slice(1));
  const isPlain = segmentIds.shape.length === 1 && attributes.numSegments > 0 && width > 0;
  if (!areFloats(x) || !isPlain || !(ids instanceof Int32Array)) return undefined;
  const y = backend.output([attributes.numSegments, ...x.shape.slice(1)]);
  native.stockSegmentSum(backend.values(x), ids, backend.values(y), width);
  return y;
});

const identity = stockKernel<One>("Identity", ({ inputs: { x }, backend }) => backend.same(x));

const reshape = stockKernel<One, { readonly shape: number[] }>(
  "Reshape",
  ({ inputs: { x }, attributes, backend }) => {
    if (x.dtype === "complex64") return undefined;
    const size = sizeFromShape(x.shape);
    const shape = tf.util.inferFromImplicitShape(attributes.shape, size);
    const newSize = sizeFromShape(shape);
    tf.util.assert(
      size === newSize,
      () =>
        `The new shape (${shape}) has ${newSize} elements and the old shape (${x.shape}) has ` +
        `${size} elements. The new shape and old shape must have the same number of elements.`,
    );
    return backend.same(x, shape);
  },
);

const expandDims = stockKernel<{ readonly input: tf.TensorInfo }, { readonly dim: number }>(
  "ExpandDims",
  ({ inputs: { input }, attributes: { dim }, backend }) => {
    if (input.dtype === "complex64") return undefined;
    const rank = input.shape.length;
    const at = dim < 0 ? rank + dim + 1 : dim;
    return backend.same(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
  },
);

function filled(backend: NativeBackend, shape: readonly number[], value: number): tf.TensorInfo {
  const y = backend.output(shape);
  backend.values(y).fill(value);
  return y;
}

const zerosLike = stockKernel<One>("ZerosLike", ({ inputs: { x }, backend }) =>
  areFloats(x) ? filled(backend, x.shape, 0) : undefined,
);

const onesLike = stockKernel<One>("OnesLike", ({ inputs: { x }, backend }) =>
  areFloats(x) ? filled(backend, x.shape, 1) : undefined,
);

const fill = stockKernel<
  unknown,
  { readonly shape: readonly number[]; readonly value: number; readonly dtype?: string }
>("Fill", ({ attributes: { shape, value, dtype }, backend }) =>
  dtype === "float32" ? filled(backend, shape, value) : undefined,
);

/** Kernels that only move numbers, or not even that. */
export const moveKernels: readonly NativeKernel[] = [
  transpose,
  slice,
  split,
  unpack,
  concat,
  pack,
  pad,
  tile,
  reverse,
  flipLeftRight,
  gather,
  unsortedSegmentSum,
  identity,
  reshape,
  expandDims,
  zerosLike,
  onesLike,
  fill,
];
