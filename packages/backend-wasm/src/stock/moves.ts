import * as tf from "@tensorflow/tfjs-core";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

/** tfjs's kernels that move values, or need not. */
export const moveKernels: readonly WasmKernel[] = [
  // The tape keeps clones of what it saves; tfjs copies the values for each.
  wasmKernel<{ readonly x: tf.TensorInfo }>(tf.Identity, ({ inputs: { x }, heap, before }) =>
    x.dtype === "string" ? before() : heap.same(x),
  ),

  wasmKernel<{ readonly x: tf.TensorInfo }, { readonly perm: readonly number[] }>(
    tf.Transpose,
    ({ inputs: { x }, attributes: { perm }, heap, before }) => {
      const swaps = asSwaps(x.shape, perm);
      if (swaps === undefined || !["float32", "int32"].includes(x.dtype)) return before();
      const shape = perm.map((axis) => x.shape[axis] as number);
      if (swaps.length === 0) return heap.same(x, shape);
      let y = x;
      for (const swap of swaps) {
        const next = heap.output(shape, x.dtype);
        heap.kernels.transpose(heap.at(y), ...swap, heap.at(next));
        if (y !== x) heap.free(y);
        y = next;
      }
      return y;
    },
  ),
];

/** Matrices of a batch whose two axes change places. */
type Swap = readonly [matrices: number, rows: number, columns: number];

/**
 * A permutation as swaps, one after the other, if it takes two at most: first axes that stay, then
 * two groups of neighbours that change places, or three whose order is reversed, as between the
 * kernels of PyTorch's convolutions and of tfjs's. Axes of size 1 do not count.
 */
function asSwaps(whole: readonly number[], order: readonly number[]): readonly Swap[] | undefined {
  const counting = [...whole.keys()].filter((axis) => whole[axis] !== 1);
  const shape = counting.map((axis) => whole[axis] as number);
  const perm = order.filter((axis) => whole[axis] !== 1).map((axis) => counting.indexOf(axis));
  const first = perm.findIndex((axis, i) => axis !== i);
  if (first < 0) return [];
  const matrices = tf.util.sizeFromShape(shape.slice(0, first));
  const groups = runs(perm.slice(first)).map((axes) => ({
    start: axes[0] as number,
    size: tf.util.sizeFromShape(axes.map((axis) => shape[axis] as number)),
  }));
  const isReversed = groups.every(({ start }, i) => i === 0 || start < (groups[i - 1]?.start ?? 0));
  if (!isReversed || groups.length > 3) return undefined;
  const [last, middle, head] = groups.map(({ size }) => size) as [number, number, number?];
  if (head === undefined) return [[matrices, middle, last]];
  return [
    [matrices * head, middle, last],
    [matrices, head, last * middle],
  ];
}

/** Groups of axes that follow one another. */
function runs(axes: readonly number[]): number[][] {
  const groups: number[][] = [];
  for (const axis of axes) {
    const group = groups.at(-1);
    if (group?.at(-1) === axis - 1) group.push(axis);
    else groups.push([axis]);
  }
  return groups;
}
