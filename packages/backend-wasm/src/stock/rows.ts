import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

/** tfjs's kernels along rows and down columns. */
export const rowKernels: readonly WasmKernel[] = [
  wasmKernel<{ readonly logits: tf.TensorInfo }, { readonly dim: number }>(
    tf.Softmax,
    ({ inputs: { logits }, attributes: { dim }, heap, before }) => {
      const rank = logits.shape.length;
      if (logits.dtype !== "float32" || rank === 0 || (dim !== -1 && dim !== rank - 1)) {
        return before();
      }
      const columns = logits.shape.at(-1) as number;
      const y = heap.output(logits.shape);
      if (columns === 0) return y;
      const rows = sizeOf(logits) / columns;
      heap.kernels.softmax(heap.at(logits), 1, rows, columns, heap.at(y));
      return y;
    },
  ),

  wasmKernel<
    { readonly x: tf.TensorInfo },
    { readonly axis: number | readonly number[]; readonly keepDims: boolean }
  >(tf.Sum, ({ inputs: { x }, attributes: { axis, keepDims }, heap, before }) => {
    const axes = tf.util.parseAxisParam(axis as number | number[], x.shape);
    const isFirst = axes.length > 0 && axes.every((each, i) => each === i);
    // Those over the first axes: rows of whatever is left.
    if (x.dtype !== "float32" || !isFirst || axes.length === x.shape.length) return before();
    const left = x.shape.slice(axes.length);
    const y = heap.output(keepDims ? [...axes.map(() => 1), ...left] : left);
    const columns = sizeOf(y);
    if (columns === 0) return y;
    heap.kernels.sumRows(heap.at(x), 0, sizeOf(x) / columns, columns, 4 * columns, heap.at(y));
    return y;
  }),
];
