import * as tf from "@tensorflow/tfjs-core";
import { copyOnHeap, type WasmHeap } from "../wasm/heap.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** Multiply-adds from which a product of a batch is worth a call of its own. */
export const worthACall = 50_000;

interface Operands {
  readonly a: tf.Tensor;
  readonly b: tf.Tensor;
}

interface Transposes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/**
 * Lets transposed and large batched products take the fast road. XNNPACK only multiplies plain
 * matrices; whatever is transposed or batched goes through a scalar loop that is ten times
 * slower, so it pays to transpose first, and to go through a batch of large products one by one.
 */
export function fastMatMul(backendName: string): void {
  replaceKernel("BatchMatMul", backendName, (stock) => (call) => {
    const operands = call.inputs as unknown as Operands;
    const transposes = call.attrs as unknown as Transposes;
    const { a, b } = operands;
    if (matrices(a) === 1 && matrices(b) === 1) {
      const attrs = { transposeA: false, transposeB: false };
      return tf.tidy(() => {
        const multiply = (left: tf.Tensor2D, right: tf.Tensor2D) =>
          withRightOperand(right, call.backend as WasmHeap, (plain) =>
            asTensor(stock({ ...call, inputs: { a: left, b: plain }, attrs })),
          );
        const product = plainProduct(matrix(a), matrix(b), transposes, multiply);
        return tf.reshape(product, [...longer(a, b).slice(0, -2), ...product.shape]);
      });
    }
    return isWorthSplitting(operands, transposes) ? oneByOne(operands, transposes) : stock(call);
  });
}

/** Transposes by hand what the product wants transposed. */
function plainProduct(
  a: tf.Tensor2D,
  b: tf.Tensor2D,
  { transposeA, transposeB }: Transposes,
  multiply: (a: tf.Tensor2D, b: tf.Tensor2D) => tf.Tensor2D,
): tf.Tensor2D {
  if (transposeA && !transposeB && b.shape[1] > a.shape[1]) {
    // The right one is packed first, so that should be the smaller.
    return tf.transpose(multiply(tf.transpose(b), a));
  }
  return multiply(transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b);
}

/** The shape as which each tensor's memory is packed, for as long as the memory lives. */
const packedAs = new WeakMap<object, string>();

/**
 * Runs `f` with a tensor of the same values that XNNPACK has not packed in another shape: it keeps
 * one packed copy of a right operand, found by its memory alone, so that a tensor and its reshaping
 * would get the same one.
 */
export function withRightOperand<T>(
  right: tf.Tensor,
  backend: WasmHeap,
  f: (right: tf.Tensor) => T,
): T {
  const shape = right.shape.slice(-2).join();
  const known = packedAs.get(right.dataId);
  if (known === undefined) packedAs.set(right.dataId, shape);
  if (known === undefined || known === shape) return f(right);
  const copy = copyOnHeap(right, backend);
  const result = f(copy);
  copy.dispose();
  return result;
}

function isWorthSplitting({ a, b }: Operands, { transposeA, transposeB }: Transposes): boolean {
  if (a.rank !== b.rank) return false;
  if (a.shape.slice(0, -2).some((size, axis) => size !== b.shape[axis])) return false;
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const columns = b.shape.at(transposeB ? -2 : -1) as number;
  return (transposeA ? inner : rows) * (transposeA ? rows : inner) * columns >= worthACall;
}

function oneByOne({ a, b }: Operands, { transposeA, transposeB }: Transposes): tf.Tensor {
  return tf.tidy(() => {
    const [lefts, rights] = [stackOfMatrices(a), stackOfMatrices(b)];
    const products = lefts.map((left, i) =>
      tf.matMul(left, rights[i] as tf.Tensor2D, transposeA, transposeB),
    );
    const [rows, columns] = (products[0] as tf.Tensor2D).shape;
    return tf.reshape(tf.concat(products), [...a.shape.slice(0, -2), rows, columns]);
  });
}

/** Every matrix of a batch, by slices: unstacking copies the whole batch each time. */
function stackOfMatrices(x: tf.Tensor): tf.Tensor2D[] {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const all = tf.reshape(x, [-1, columns]) as tf.Tensor2D;
  return Array.from({ length: matrices(x) }, (_, i) => tf.slice(all, i * rows, rows));
}

function matrices(x: tf.Tensor): number {
  return tf.util.sizeFromShape(x.shape.slice(0, -2));
}

function matrix(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, x.shape.slice(-2) as [number, number]);
}

function longer(a: tf.Tensor, b: tf.Tensor): number[] {
  return a.rank > b.rank ? a.shape : b.shape;
}

function asTensor(info: tf.TensorInfo | tf.TensorInfo[]): tf.Tensor2D {
  return tf.engine().makeTensorFromTensorInfo(info as tf.TensorInfo) as tf.Tensor2D;
}
