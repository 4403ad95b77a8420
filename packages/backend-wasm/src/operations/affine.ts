import type * as tf from "@tensorflow/tfjs-core";
import { type Heap, matrix, transposed } from "../heap.ts";
import type { Address } from "../kernels.ts";

/** `x wᵀ + b` of rows: `weight` is `[outputs, inputs]`. */
export function affine(
  heap: Heap,
  x: Address,
  weight: tf.TensorInfo,
  bias: tf.TensorInfo,
  rows: number,
  y: Address,
): void {
  const [columns, inner] = weight.shape as [number, number];
  heap.product(
    matrix(x, inner),
    transposed(matrix(heap.at(weight), inner)),
    matrix(y, columns),
    { rows, columns, inner },
    { bias: heap.at(bias) },
  );
}

/** `dx = dy w`. */
export function affineBack(
  heap: Heap,
  dy: Address,
  weight: tf.TensorInfo,
  rows: number,
  dx: Address,
): void {
  const [inner, columns] = weight.shape as [number, number];
  heap.product(matrix(dy, inner), matrix(heap.at(weight), columns), matrix(dx, columns), {
    rows,
    columns,
    inner,
  });
}

/** `dWeight = dyᵀ x` and the sum of `dy`'s rows, as tensors. */
export function weightBack(
  heap: Heap,
  dy: Address,
  x: Address,
  weight: tf.TensorInfo,
  rows: number,
): readonly [dWeight: tf.TensorInfo, dBias: tf.TensorInfo] {
  const [outputs, inputs] = weight.shape as [number, number];
  const [dWeight, dBias] = [heap.output(weight.shape), heap.output([outputs])];
  heap.product(
    transposed(matrix(dy, outputs)),
    matrix(x, inputs),
    matrix(heap.at(dWeight), inputs),
    { rows: outputs, columns: inputs, inner: rows },
  );
  heap.kernels.sumRows(dy, 0, rows, outputs, 4 * outputs, heap.at(dBias));
  return [dWeight, dBias];
}
