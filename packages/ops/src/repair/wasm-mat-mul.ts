import * as tf from "@tensorflow/tfjs-core";
import { replaceKernel } from "./replace-kernel.ts";

/** Multiply-adds from which a product of a batch is worth a call of its own. */
const worthACall = 1_000_000;

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
    const { a, b } = call.inputs as { readonly a: tf.Tensor; readonly b: tf.Tensor };
    const attributes = call.attrs as unknown as Transposes;
    const { transposeA, transposeB } = attributes;
    if (a.rank === 2 && b.rank === 2) {
      if (!transposeA && !transposeB) return stock(call);
      const left = transposeA ? tf.transpose(a) : a;
      const right = transposeB ? tf.transpose(b) : b;
      const attrs = { ...call.attrs, transposeA: false, transposeB: false };
      const product = stock({ ...call, inputs: { a: left, b: right }, attrs });
      if (left !== a) left.dispose();
      if (right !== b) right.dispose();
      return product;
    }
    return isWorthSplitting(a, b, attributes) ? oneByOne(a, b, attributes) : stock(call);
  });
}

/** Whether the two have the same batch, and its products are large. */
function isWorthSplitting(
  a: tf.Tensor,
  b: tf.Tensor,
  { transposeA, transposeB }: Transposes,
): boolean {
  if (a.rank !== b.rank) return false;
  if (a.shape.slice(0, -2).some((size, axis) => size !== b.shape[axis])) return false;
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const columns = b.shape.at(transposeB ? -2 : -1) as number;
  return (transposeA ? inner : rows) * (transposeA ? rows : inner) * columns >= worthACall;
}

function oneByOne(a: tf.Tensor, b: tf.Tensor, { transposeA, transposeB }: Transposes): tf.Tensor {
  return tf.tidy(() => {
    const matrices = (x: tf.Tensor) =>
      tf.unstack(tf.reshape(x, [-1, ...x.shape.slice(-2)])) as tf.Tensor2D[];
    const right = matrices(b);
    const products = matrices(a).map((left, i) =>
      tf.matMul(left, right[i] as tf.Tensor2D, transposeA, transposeB),
    );
    const [rows, columns] = (products[0] as tf.Tensor2D).shape;
    return tf.reshape(tf.stack(products), [...a.shape.slice(0, -2), rows, columns]);
  });
}
