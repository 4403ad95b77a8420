import type * as tf from "@tensorflow/tfjs-core";
import { replaceKernel } from "./replace-kernel.ts";

/** Lets `Cumsum` count its axis from the end, which leads some stock kernels out of their memory. */
export function cumsumFromTheEnd(backendName: string): void {
  replaceKernel("Cumsum", backendName, (stock) => (call) => {
    const { axis } = call.attrs as { readonly axis: number };
    const { shape } = (call.inputs as { readonly x: tf.TensorInfo }).x;
    return stock({
      ...call,
      attrs: { ...call.attrs, axis: axis < 0 ? axis + shape.length : axis },
    });
  });
}
