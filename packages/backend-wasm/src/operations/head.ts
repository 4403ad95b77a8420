import type * as tf from "@tensorflow/tfjs-core";
import { type Heap, matrix, transposed } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

interface Layer {
  readonly x: tf.TensorInfo;
  readonly gain: tf.TensorInfo;
  readonly direction: tf.TensorInfo;
}

/** The end of the projection head: rows of length 1, and the last layer. */
export const headKernels: readonly WasmKernel[] = [
  wasmKernel<{ readonly x: tf.TensorInfo }, { readonly epsilon: number }>(
    "DinoL2Normalize",
    ({ inputs: { x }, attributes: { epsilon }, heap }) => {
      const [rows, columns] = x.shape as [number, number];
      const [y, norm] = [heap.output(x.shape), heap.output([rows, 1])];
      heap.kernels.unitRows(heap.at(x), epsilon, rows, columns, heap.at(y), heap.at(norm));
      return [y, norm];
    },
  ),

  wasmKernel<
    { readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo; readonly norm: tf.TensorInfo },
    { readonly epsilon: number }
  >("DinoL2NormalizeBackward", ({ inputs: { dy, x, norm }, attributes: { epsilon }, heap }) => {
    const [rows, columns] = x.shape as [number, number];
    const dx = heap.output(x.shape);
    heap.kernels.unitRowsBack(
      ...[heap.at(dy), heap.at(x), heap.at(norm), epsilon, rows, columns],
      ...([heap.at(dx)] as const),
    );
    return [dx];
  }),

  wasmKernel<Layer>("DinoWeightNormLinear", ({ inputs: { x, gain, direction }, heap }) => {
    const [rows, inner] = x.shape as [number, number];
    const columns = gain.shape[0] as number;
    const { weight, norms } = normedWeight(heap, gain, direction);
    const y = heap.output([rows, columns]);
    heap.product(
      matrix(heap.at(x), inner),
      transposed(matrix(heap.at(weight), inner)),
      matrix(heap.at(y), columns),
      { rows, columns, inner },
    );
    heap.free(weight, norms);
    return [y];
  }),

  wasmKernel<Layer & { readonly dy: tf.TensorInfo }>(
    "DinoWeightNormLinearBackward",
    ({ inputs: { dy, x, gain, direction }, heap }) => {
      const [rows, inner] = x.shape as [number, number];
      const outputs = gain.shape[0] as number;
      const { weight, norms } = normedWeight(heap, gain, direction);
      const dx = heap.output(x.shape);
      heap.product(
        matrix(heap.at(dy), outputs),
        matrix(heap.at(weight), inner),
        matrix(heap.at(dx), inner),
        { rows, columns: inner, inner: outputs },
      );
      const [dGain, dDirection] = [heap.output(gain.shape), heap.output(direction.shape)];
      heap.product(
        transposed(matrix(heap.at(dy), outputs)),
        matrix(heap.at(x), inner),
        matrix(heap.at(dDirection), inner),
        { rows: outputs, columns: inner, inner: rows },
      );
      heap.kernels.normedWeightBack(
        ...[heap.at(direction), heap.at(gain), heap.at(norms), outputs, inner],
        ...([heap.at(dDirection), heap.at(dGain)] as const),
      );
      heap.free(weight, norms);
      return [dx, dGain, dDirection];
    },
  ),
];

/** The weight whose rows are `gain * direction / |direction|`, and those lengths. */
function normedWeight(
  heap: Heap,
  gain: tf.TensorInfo,
  direction: tf.TensorInfo,
): { readonly weight: tf.TensorInfo; readonly norms: tf.TensorInfo } {
  const [rows, columns] = direction.shape as [number, number];
  const [weight, norms] = [heap.output(direction.shape), heap.output(gain.shape)];
  heap.kernels.normedWeight(
    ...[heap.at(direction), heap.at(gain), rows, columns],
    ...([heap.at(weight), heap.at(norms)] as const),
  );
  return { weight, norms };
}
