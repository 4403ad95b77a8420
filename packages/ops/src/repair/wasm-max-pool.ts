import * as tf from "@tensorflow/tfjs-core";
import { heapViews, type WasmHeap } from "../wasm/heap.ts";
import { replaceKernel } from "./replace-kernel.ts";

interface Attributes {
  readonly filterSize: [number, number];
  readonly strides: [number, number];
  readonly pad: "valid" | "same" | number;
  readonly dimRoundingMode: "floor" | "round" | "ceil";
}

/**
 * Gives the gradient of a maximum to the pixel that it came from, the first of equals. The stock
 * kernel loses it where the largest value of a window is not positive.
 */
export function rightMaxPoolGradient(backendName: string): void {
  replaceKernel("MaxPoolGrad", backendName, () => (call) => {
    const { dy, input } = call.inputs as { readonly dy: tf.Tensor4D; readonly input: tf.Tensor4D };
    const { filterSize, strides, pad, dimRoundingMode } = call.attrs as unknown as Attributes;
    const pool = tf.backend_util.computePool2DInfo(
      input.shape,
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    const backend = call.backend as WasmHeap;
    const out = backend.makeOutput(input.shape, "float32");
    const [pixels, slopes, to] = heapViews(backend, [input, dy, out]) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    to.fill(0);
    for (let output = 0; output < slopes.length; output++) {
      const place = largest(pixels, pool, output);
      if (place >= 0) to[place] = (to[place] as number) + (slopes[output] as number);
    }
    return out;
  });
}

/** Where the maximum of an output's window is. */
function largest(pixels: Float32Array, pool: tf.backend_util.Conv2DInfo, output: number): number {
  const { inHeight, inWidth, inChannels, outHeight, outWidth } = pool;
  const channel = output % inChannels;
  const column = Math.floor(output / inChannels) % outWidth;
  const row = Math.floor(output / (inChannels * outWidth)) % outHeight;
  const picture = Math.floor(output / (inChannels * outWidth * outHeight));
  const top = row * pool.strideHeight - pool.padInfo.top;
  const left = column * pool.strideWidth - pool.padInfo.left;
  let found = -1;
  for (let y = Math.max(0, top); y < Math.min(inHeight, top + pool.filterHeight); y++) {
    for (let x = Math.max(0, left); x < Math.min(inWidth, left + pool.filterWidth); x++) {
      const place = ((picture * inHeight + y) * inWidth + x) * inChannels + channel;
      if (found < 0 || (pixels[place] as number) > (pixels[found] as number)) found = place;
    }
  }
  return found;
}
