import * as tf from "@tensorflow/tfjs-core";
import { operation, works } from "./node-backend.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** What an operation of oneDNN's is told when it is called by its name. */
const oneDnn = { _kernel: "MklNameChangeOp" };

/** Up to so many terms in each sum of a weight's gradient. */
const fewProducts = 128;

/**
 * Replaces tfjs-node's kernels for products and for sums of rows by operations of TensorFlow that
 * do the same faster on a CPU. They are internal ones: where they are not, the stock kernels stay.
 */
export function replaceStockKernels(): void {
  const one = tf.ones([1, 1, 1]);
  if (works(() => product(one, one, false, false))) {
    replaceKernel("BatchMatMul", (stock) => (call) => {
      const { a, b } = call.inputs as { readonly a: tf.TensorInfo; readonly b: tf.TensorInfo };
      if (a.dtype !== "float32" || b.dtype !== "float32") return stock(call);
      const { transposeA, transposeB } = call.attrs as unknown as {
        readonly transposeA: boolean;
        readonly transposeB: boolean;
      };
      // A few outer products: Eigen's are the faster ones.
      if (transposeA && a.shape.length === 2 && (a.shape[0] as number) <= fewProducts) {
        return stock(call);
      }
      return product(a, b, transposeA, transposeB);
    });
  }
  replaceKernel("Sum", (stock) => (call) => {
    const { x } = call.inputs as { readonly x: tf.TensorInfo };
    const { axis, keepDims } = call.attrs as unknown as {
      readonly axis: number | readonly number[];
      readonly keepDims: boolean;
    };
    const isOverRows = x.shape.length === 2 && String(axis) === "0" && !keepDims;
    return isOverRows && x.dtype === "float32" ? rowsSummed(x) : stock(call);
  });
  one.dispose();
}

/** The sum of the rows of `[rows, columns]`: what TensorFlow has for the gradient of a bias. */
export function rowsSummed(x: tf.TensorInfo): tf.Tensor {
  return operation("BiasAddGrad", [x], { data_format: "NHWC" });
}

/** oneDNN's product, where TensorFlow on its own would take Eigen's. */
function product(a: tf.TensorInfo, b: tf.TensorInfo, adj_x: boolean, adj_y: boolean): tf.Tensor {
  return operation("_MklBatchMatMulV2", [a, b], { adj_x, adj_y, ...oneDnn });
}
