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
      const turned = asMatrices(x.shape, perm);
      if (turned === undefined || !["float32", "int32"].includes(x.dtype)) return before();
      const y = heap.output(
        perm.map((axis) => x.shape[axis] as number),
        x.dtype,
      );
      heap.kernels.transpose(heap.at(x), ...turned, heap.at(y));
      return y;
    },
  ),
];

/**
 * A permutation as one of a batch of matrices whose two axes change places, if it is one: first
 * axes that stay, then two groups of neighbours that swap.
 */
function asMatrices(
  shape: readonly number[],
  perm: readonly number[],
): readonly [matrices: number, rows: number, columns: number] | undefined {
  const first = perm.findIndex((axis, i) => axis !== i);
  if (first < 0) return undefined;
  const middle = perm[first] as number;
  const rank = shape.length;
  const swapped = [...range(middle, rank), ...range(first, middle)];
  if (!swapped.every((axis, i) => axis === perm[first + i])) return undefined;
  const size = (from: number, to: number) => tf.util.sizeFromShape(shape.slice(from, to));
  return [size(0, first), size(first, middle), size(middle, rank)];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
