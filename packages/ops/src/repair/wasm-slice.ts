import * as tf from "@tensorflow/tfjs-core";
import type { WasmHeap } from "../wasm/heap.ts";
import { replaceKernel } from "./replace-kernel.ts";

/** Lets a slice that is one run of memory copy that run; the stock kernel first copies all of `x`. */
export function fastSlice(backendName: string): void {
  replaceKernel("Slice", backendName, (stock) => (call) => {
    const { x } = call.inputs as { readonly x: tf.Tensor };
    const { begin, size } = call.attrs as unknown as { begin: number[]; size: number[] };
    const [starts, sizes] = tf.slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
    if (x.dtype === "string" || !tf.slice_util.isSliceContinous(x.shape, starts, sizes)) {
      return stock(call);
    }
    const backend = call.backend as WasmHeap;
    const out = backend.makeOutput(sizes, x.dtype);
    const first = tf.slice_util.computeFlatOffset(starts, tf.util.computeStrides(x.shape));
    const to = backend.typedArrayFromHeap(out);
    to.set(backend.typedArrayFromHeap(x).subarray(first, first + to.length));
    return out;
  });
}
