import * as tf from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../native-backend.ts";
import type { NativeKernel } from "../operations/native-kernel.ts";
import type { ReductionName } from "./stock-functions.ts";
import { areFloats, runNative, sizeFromShape, stockKernel } from "./stock-kernel.ts";

type One = { readonly x: tf.TensorInfo };

interface Axes {
  readonly axis?: number | number[];
  /** What `Max` calls its axes. */
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

/** An array as `[outer, count, inner]`, of which `count` is reduced, and the shape of the result. */
interface Reduced {
  readonly x: tf.TensorInfo;
  readonly sizes: readonly [number, number, number];
  /** The shape without the axes that are reduced. */
  readonly shape: readonly number[];
  /** Whether `x` was made for this. */
  readonly isOurs: boolean;
}

/** Brings the axes together, if they are not, by a transposition. */
function reduced(backend: NativeBackend, x: tf.TensorInfo, axes: readonly number[]): Reduced {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const shape = kept.map((axis) => x.shape[axis] ?? 1);
  const size = (all: readonly number[]) => sizeFromShape(all.map((axis) => x.shape[axis] ?? 1));
  const count = size(axes);
  // Axes of one element may be anywhere.
  const first = Math.min(...axes.filter((axis) => x.shape[axis] !== 1));
  const last = Math.max(...axes.filter((axis) => x.shape[axis] !== 1));
  const between = kept.filter((axis) => axis > first && axis < last);
  if (size(between) === 1) {
    const before = size(kept.filter((axis) => axis < first));
    const after = size(kept.filter((axis) => axis > last));
    const sizes = count === 1 ? ([size(kept), 1, 1] as const) : ([before, count, after] as const);
    return { x, sizes, shape, isOurs: false };
  }
  const turned = runNative("Transpose", backend, { x }, { perm: [...kept, ...axes] });
  return { x: turned, sizes: [size(kept), count, 1], shape, isOurs: true };
}

const reduction = (name: ReductionName) =>
  stockKernel<One, Axes>(name, ({ inputs: { x }, attributes, backend, native }) => {
    const { axis, reductionIndices, keepDims = false } = attributes;
    if (!areFloats(x) || sizeFromShape(x.shape) === 0) return undefined;
    const axes = tf.util.parseAxisParam((axis ?? reductionIndices) as number[], x.shape);
    const { x: source, sizes, shape, isOurs } = reduced(backend, x, axes);
    const y = backend.output(
      keepDims ? tf.backend_util.expandShapeToKeepDim([...shape], axes) : shape,
    );
    const code = native.Reduction[name];
    native.stockReduce(code, backend.values(source), backend.values(y), ...sizes);
    if (isOurs) backend.disposeData(source.dataId);
    return y;
  });

const argExtreme = (name: "ArgMax" | "ArgMin") =>
  stockKernel<One, { readonly axis: number }>(
    name,
    ({ inputs: { x }, attributes: { axis }, backend, native }) => {
      if (!areFloats(x) || sizeFromShape(x.shape) === 0) return undefined;
      const [only = 0] = tf.util.parseAxisParam(axis, x.shape);
      const kept = x.shape.map((_, i) => i).filter((i) => i !== only);
      const isLast = kept.every((i) => i < only);
      const source = isLast ? x : runNative("Transpose", backend, { x }, { perm: [...kept, only] });
      const shape = kept.map((i) => x.shape[i] ?? 1);
      const y = new Int32Array(sizeFromShape(shape));
      native.stockArgExtreme(name === "ArgMin", backend.values(source), y);
      if (!isLast) backend.disposeData(source.dataId);
      return backend.makeTensorInfo(shape, "int32", y);
    },
  );

const softmax = stockKernel<{ readonly logits: tf.TensorInfo }, { readonly dim: number }>(
  "Softmax",
  ({ inputs: { logits }, attributes: { dim }, backend, native }) => {
    const rank = logits.shape.length;
    const isLast = dim < 0 || dim === rank - 1;
    if (!areFloats(logits) || !isLast || sizeFromShape(logits.shape) === 0) return undefined;
    const y = backend.output(logits.shape);
    const width = logits.shape[rank - 1] ?? 1;
    native.stockSoftmax(backend.values(logits), backend.values(y), width);
    return y;
  },
);

/** Kernels that make one number of many, and the softmax. */
export const reductionKernels: readonly NativeKernel[] = [
  ...(["Max", "Mean", "Min", "Prod", "Sum"] as const).map(reduction),
  argExtreme("ArgMax"),
  argExtreme("ArgMin"),
  softmax,
];
