import type * as tf from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly bias: tf.TensorInfo;
}
interface Statistics {
  readonly mean: tf.TensorInfo;
  readonly inverseStd: tf.TensorInfo;
}

/** The normed rows, their means and inverse deviations. */
export function layerNorm(
  heap: Heap,
  { x, weight, bias }: Inputs,
  epsilon: number,
): readonly [y: tf.TensorInfo, mean: tf.TensorInfo, inverseStd: tf.TensorInfo] {
  const [rows, columns] = x.shape as [number, number];
  const y = heap.output(x.shape);
  const [mean, inverseStd] = [heap.output([rows, 1]), heap.output([rows, 1])];
  heap.kernels.layerNorm(
    ...[heap.at(x), heap.at(weight), heap.at(bias), epsilon, rows, columns],
    ...([heap.at(y), heap.at(mean), heap.at(inverseStd)] as const),
  );
  return [y, mean, inverseStd];
}

/** The normed rows once more, from what was kept. */
export function layerNormAgain(
  heap: Heap,
  { x, weight, bias, mean, inverseStd }: Inputs & Statistics,
): tf.TensorInfo {
  const [rows, columns] = x.shape as [number, number];
  const y = heap.output(x.shape);
  heap.kernels.layerNormAgain(
    heap.at(x),
    heap.at(weight),
    heap.at(bias),
    heap.at(mean),
    heap.at(inverseStd),
    rows,
    columns,
    heap.at(y),
  );
  return y;
}

/** The gradients; that of `x` takes `around`, what comes past the norm, in addition. */
export function layerNormBack(
  heap: Heap,
  {
    dy,
    x,
    weight,
    mean,
    inverseStd,
  }: Omit<Inputs, "bias"> & Statistics & { readonly dy: tf.TensorInfo },
  around?: tf.TensorInfo,
): readonly [dx: tf.TensorInfo, dWeight: tf.TensorInfo, dBias: tf.TensorInfo] {
  const [rows, columns] = x.shape as [number, number];
  const dx = heap.output(x.shape);
  const [dWeight, dBias] = [heap.output([columns]), heap.output([columns])];
  const groups = Math.ceil(rows / heap.kernels.rowsTogether.value);
  const isOne = groups <= 1;
  const weightSums = isOne ? dWeight : heap.output([groups, columns]);
  const biasSums = isOne ? dBias : heap.output([groups, columns]);
  heap.kernels.layerNormBack(
    ...[heap.at(dy), heap.at(x), heap.at(weight), heap.at(mean), heap.at(inverseStd)],
    ...([around ? heap.at(around) : 0, rows, columns] as const),
    ...([heap.at(dx), heap.at(weightSums), heap.at(biasSums)] as const),
  );
  if (!isOne) {
    const { sumRows } = heap.kernels;
    sumRows(heap.at(weightSums), 0, groups, columns, 4 * columns, heap.at(dWeight));
    sumRows(heap.at(biasSums), 0, groups, columns, 4 * columns, heap.at(dBias));
    heap.free(weightSums, biasSums);
  }
  return [dx, dWeight, dBias];
}

export const layerNormKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, { readonly epsilon: number }>(
    "DinoLayerNorm",
    ({ inputs, attributes: { epsilon }, heap }) => [...layerNorm(heap, inputs, epsilon)],
  ),
  wasmKernel<Inputs & Statistics>("DinoLayerNormAgain", ({ inputs, heap }) => [
    layerNormAgain(heap, inputs),
  ]),
  wasmKernel<Omit<Inputs, "bias"> & Statistics & { readonly dy: tf.TensorInfo }>(
    "DinoLayerNormBackward",
    ({ inputs, heap }) => [...layerNormBack(heap, inputs)],
  ),
];
