import * as tf from "@tensorflow/tfjs-core";
import { multiply } from "./product.ts";
import { sizeOf } from "./size-of.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface Inputs {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
}
interface Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** tfjs's own product, of matrices in all transpositions and batches. */
export const matMulKernels: readonly WebgpuKernel[] = [
  webgpuKernel<Inputs, Attributes>(
    tf.BatchMatMul,
    ({ inputs: { a, b }, attributes: { transposeA, transposeB }, backend }) => {
      const [storedRows, strideA] = a.shape.slice(-2) as [number, number];
      const [storedInner, strideB] = b.shape.slice(-2) as [number, number];
      const [rows, inner] = transposeA ? [strideA, storedRows] : [storedRows, strideA];
      const [otherInner, columns] = transposeB ? [strideB, storedInner] : [storedInner, strideB];
      tf.util.assert(
        inner === otherInner,
        () => `b: expected an inner dimension of ${inner}, got ${otherInner}`,
      );
      const outer = tf.broadcast_util.assertAndGetBroadcastShape(
        a.shape.slice(0, -2),
        b.shape.slice(0, -2),
      );
      const y = backend.output([...outer, rows, columns]);
      const batch = tf.util.sizeFromShape(outer);
      const [countA, countB] = [sizeOf(a) / (rows * inner), sizeOf(b) / (columns * inner)];
      multiply(backend, {
        rows,
        columns,
        inner,
        batch,
        a: { tensor: a, stride: strideA, batch: countA === 1 ? 0 : rows * inner, isExact: true },
        b: { tensor: b, stride: strideB, batch: countB === 1 ? 0 : columns * inner, isExact: true },
        transposeA,
        transposeB,
        y,
      });
      return y;
    },
  ),
];
