import type * as tf from "@tensorflow/tfjs-core";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";

/** What a kernel is called with. */
export interface Call<Inputs, Attributes> {
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly backend: DinoWebGPUBackend;
}

/** A kernel under the name that an operation looks for. */
export interface WebgpuKernel {
  readonly name: string;
  /** Whether it takes a call, or leaves it to the kernel of that name that was there before: all unless given. */
  readonly takes?: (inputs: never) => boolean;
  readonly run: (call: never) => tf.TensorInfo | tf.TensorInfo[];
}

export function webgpuKernel<Inputs, Attributes = unknown>(
  name: string,
  run: (call: Call<Inputs, Attributes>) => tf.TensorInfo | tf.TensorInfo[],
  takes?: (inputs: Inputs) => boolean,
): WebgpuKernel {
  return { name, run, ...(takes && { takes }) };
}
