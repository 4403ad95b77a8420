import type * as tf from "@tensorflow/tfjs-core";
import { replaceKernel } from "./replace-kernel.ts";
import { heapViews, type WasmHeap } from "./wasm-heap.ts";

/** Lets a sum over the rows of a matrix run down its columns; the stock kernel transposes first. */
export function fastColumnSum(backendName: string): void {
  replaceKernel("Sum", backendName, (stock) => (call) => {
    const { x } = call.inputs as { readonly x: tf.TensorInfo };
    const { axis, keepDims } = call.attrs as unknown as {
      readonly axis: number | readonly number[];
      readonly keepDims: boolean;
    };
    const axes = [axis].flat();
    if (x.shape.length !== 2 || x.dtype !== "float32" || axes.length !== 1 || axes[0] !== 0) {
      return stock(call);
    }
    const [rows, columns] = x.shape as [number, number];
    const backend = call.backend as WasmHeap;
    const out = backend.makeOutput(keepDims ? [1, columns] : [columns], "float32");
    const [from, to] = heapViews(backend, [x, out]) as [Float32Array, Float32Array];
    const sums = new Float64Array(columns);
    for (let row = 0, i = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, i++) {
        sums[column] = (sums[column] as number) + (from[i] as number);
      }
    }
    to.set(sums);
    return out;
  });
}
