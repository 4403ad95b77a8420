import type * as tf from "@tensorflow/tfjs-core";
import type { Heap } from "./heap.ts";

/** What a kernel is called with. */
export interface Call<Inputs, Attributes> {
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly heap: Heap;
  /** Runs the kernel that was there before, for what is not ours. */
  readonly before: () => tf.TensorInfo | tf.TensorInfo[];
}

/** A kernel under tfjs's name for it, or that of an operation of `@dino/ops`. */
export interface WasmKernel {
  readonly name: string;
  readonly run: (call: never) => tf.TensorInfo | tf.TensorInfo[];
}

export function wasmKernel<Inputs, Attributes = unknown>(
  name: string,
  run: (call: Call<Inputs, Attributes>) => tf.TensorInfo | tf.TensorInfo[],
): WasmKernel {
  return { name, run };
}
