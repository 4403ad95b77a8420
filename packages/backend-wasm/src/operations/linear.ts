import type * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";
import { affine, affineBack, weightBack } from "./affine.ts";

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly bias: tf.TensorInfo;
}
interface Saved {
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly before?: tf.TensorInfo;
}
type Activation = "none" | "gelu" | "relu";

export const linearKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, { readonly activation: Activation; readonly forGradient: boolean }>(
    "DinoLinear",
    ({ inputs: { x, weight, bias }, attributes: { activation, forGradient }, heap }) => {
      const rows = x.shape[0] as number;
      const y = heap.output([rows, weight.shape[0] as number]);
      const before = activation !== "none" && forGradient ? heap.output(y.shape) : undefined;
      const first = heap.at(before ?? y);
      affine(heap, heap.at(x), weight, bias, rows, first);
      if (activation !== "none") heap.kernels[activation](first, heap.at(y), sizeOf(y));
      return before ? [y, before] : [y];
    },
  ),

  wasmKernel<Saved, { readonly activation: Activation }>(
    "DinoLinearBackward",
    ({ inputs: { dy, x, weight, before }, attributes: { activation }, heap }) => {
      const rows = x.shape[0] as number;
      let slope = dy;
      if (activation !== "none" && before !== undefined) {
        slope = heap.output(dy.shape);
        const back = activation === "gelu" ? heap.kernels.geluBack : heap.kernels.reluBack;
        back(heap.at(dy), heap.at(before), heap.at(slope), sizeOf(dy));
      }
      const dx = heap.output(x.shape);
      affineBack(heap, heap.at(slope), weight, rows, heap.at(dx));
      const gradients = weightBack(heap, heap.at(slope), heap.at(x), weight, rows);
      if (slope !== dy) heap.free(slope);
      return [dx, ...gradients];
    },
  ),

  wasmKernel<{ readonly x: tf.TensorInfo }>("DinoGelu", ({ inputs: { x }, heap }) => {
    const y = heap.output(x.shape);
    heap.kernels.gelu(heap.at(x), heap.at(y), sizeOf(x));
    return [y];
  }),

  wasmKernel<{ readonly x: tf.TensorInfo }>("DinoGeluParts", ({ inputs: { x }, heap }) => {
    const [y, slope] = [heap.output(x.shape), heap.output(x.shape)];
    heap.kernels.geluParts(heap.at(x), heap.at(y), heap.at(slope), sizeOf(x));
    return [y, slope];
  }),

  wasmKernel<{ readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo }>(
    "DinoGeluBackward",
    ({ inputs: { dy, x }, heap }) => {
      const dx = heap.output(x.shape);
      heap.kernels.geluBack(heap.at(dy), heap.at(x), heap.at(dx), sizeOf(x));
      return [dx];
    },
  ),
];
