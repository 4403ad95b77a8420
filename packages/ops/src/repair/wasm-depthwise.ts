import * as tf from "@tensorflow/tfjs-core";
import { heapViews, type WasmHeap } from "../wasm/heap.ts";
import { addKernel } from "./replace-kernel.ts";

type Shape4D = [number, number, number, number];

interface Attributes {
  readonly strides: [number, number];
  readonly dilations: [number, number];
  readonly pad: "valid" | "same" | number;
  readonly dimRoundingMode: "floor" | "round" | "ceil";
  readonly filterShape: Shape4D;
  readonly inputShape: Shape4D;
}

/** The gradients of a depthwise convolution, which tfjs-wasm lacks. */
export function depthwiseGradients(backendName: string): void {
  addKernel("DepthwiseConv2dNativeBackpropFilter", backendName, (call) => {
    const { x, dy } = call.inputs as { readonly x: tf.Tensor4D; readonly dy: tf.Tensor4D };
    const attributes = call.attrs as unknown as Attributes;
    const backend = call.backend as WasmHeap;
    const out = backend.makeOutput(attributes.filterShape, "float32");
    const [pixels, slopes, to] = heapViews(backend, [x, dy, out]) as Views;
    to.fill(0);
    forEachProduct(x.shape, attributes.filterShape, attributes, (pixel, weight, output) => {
      to[weight] = (to[weight] as number) + (pixels[pixel] as number) * (slopes[output] as number);
    });
    return out;
  });

  addKernel("DepthwiseConv2dNativeBackpropInput", backendName, (call) => {
    const { dy, filter } = call.inputs as {
      readonly dy: tf.Tensor4D;
      readonly filter: tf.Tensor4D;
    };
    const attributes = call.attrs as unknown as Attributes;
    const backend = call.backend as WasmHeap;
    const out = backend.makeOutput(attributes.inputShape, "float32");
    const [weights, slopes, to] = heapViews(backend, [filter, dy, out]) as Views;
    to.fill(0);
    forEachProduct(attributes.inputShape, filter.shape, attributes, (pixel, weight, output) => {
      to[pixel] = (to[pixel] as number) + (weights[weight] as number) * (slopes[output] as number);
    });
    return out;
  });
}

type Views = [Float32Array, Float32Array, Float32Array];

/** Calls `visit` with the places of every pixel, weight and output that belong together. */
function forEachProduct(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, dilations, pad, dimRoundingMode }: Attributes,
  visit: (pixel: number, weight: number, output: number) => void,
): void {
  const info = tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  );
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { filterHeight, filterWidth, padInfo } = info;
  const multiplier = outChannels / inChannels;
  let output = 0;
  for (let picture = 0; picture < batchSize; picture++) {
    for (let outRow = 0; outRow < outHeight; outRow++) {
      for (let outColumn = 0; outColumn < outWidth; outColumn++, output += outChannels) {
        for (let kernel = 0; kernel < filterHeight * filterWidth; kernel++) {
          const down = Math.floor(kernel / filterWidth) * info.dilationHeight;
          const across = (kernel % filterWidth) * info.dilationWidth;
          const row = outRow * info.strideHeight - padInfo.top + down;
          const column = outColumn * info.strideWidth - padInfo.left + across;
          if (row < 0 || row >= inHeight || column < 0 || column >= inWidth) continue;
          const pixel = ((picture * inHeight + row) * inWidth + column) * inChannels;
          for (let channel = 0; channel < outChannels; channel++) {
            const from = pixel + Math.floor(channel / multiplier);
            visit(from, kernel * outChannels + channel, output + channel);
          }
        }
      }
    }
  }
}
