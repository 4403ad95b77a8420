import * as tf from "@tensorflow/tfjs-core";
import { type Heap, matrix, sizeOf, transposed } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

interface Operands {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
}
interface Transposes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
interface FusedInputs extends Operands {
  readonly bias?: tf.TensorInfo;
}
interface FusedAttributes extends Transposes {
  readonly activation: string;
}

/** tfjs's products of matrices: transposed and in batches too. */
export const productKernels: readonly WasmKernel[] = [
  wasmKernel<Operands, Transposes>(tf.BatchMatMul, ({ inputs, attributes, heap, before }) =>
    isFloat(inputs) ? multiply(heap, inputs, attributes) : before(),
  ),

  wasmKernel<FusedInputs, FusedAttributes>(
    tf._FusedMatMul,
    ({ inputs, attributes, heap, before }) => {
      const { bias } = inputs;
      const { activation } = attributes;
      const columns = inputs.b.shape.at(attributes.transposeB ? -2 : -1);
      const fits = bias === undefined || sizeOf(bias) === columns;
      if (!isFloat(inputs) || !fits || !["linear", "relu"].includes(activation)) return before();
      const y = multiply(heap, inputs, attributes, bias);
      if (activation === "relu") heap.kernels.relu(heap.at(y), heap.at(y), sizeOf(y));
      return y;
    },
  ),
];

function isFloat({ a, b }: Operands): boolean {
  return a.dtype === "float32" && b.dtype === "float32";
}

function multiply(
  heap: Heap,
  { a, b }: Operands,
  { transposeA, transposeB }: Transposes,
  bias?: tf.TensorInfo,
): tf.TensorInfo {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [rows, inner] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [bInner, columns] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  tf.util.assert(
    inner === bInner,
    () => `matMul: expected inner axes of one size, got ${inner} and ${bInner}`,
  );
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(
    a.shape.slice(0, -2),
    b.shape.slice(0, -2),
  );
  const y = heap.output([...outer, rows, columns]);
  const lefts = placesIn(a.shape.slice(0, -2), outer);
  const rights = placesIn(b.shape.slice(0, -2), outer);
  const to = heap.at(y);
  lefts.forEach((place, i) => {
    const left = matrix(heap.at(a) + 4 * place * rows * inner, aColumns);
    const right = matrix(heap.at(b) + 4 * (rights[i] as number) * inner * columns, bColumns);
    heap.product(
      transposeA ? transposed(left) : left,
      transposeB ? transposed(right) : right,
      matrix(to + 4 * i * rows * columns, columns),
      { rows, columns, inner },
      bias && { bias: heap.at(bias) },
    );
  });
  return y;
}

/** For each place of a batch, that in a batch which is repeated along some of its axes. */
function placesIn(shape: readonly number[], outer: readonly number[]): readonly number[] {
  const missing = outer.length - shape.length;
  let places = [0];
  outer.forEach((size, axis) => {
    const own = axis < missing ? 1 : (shape[axis - missing] as number);
    places = places.flatMap((place) =>
      Array.from({ length: size }, (_, i) => place * own + (own === 1 ? 0 : i)),
    );
  });
  return places;
}
