import type * as tf from "@tensorflow/tfjs-core";
import type { Addon } from "../addon.ts";
import type { NativeBackend } from "../native-backend.ts";

/** What a kernel is called with. */
export interface Call<Inputs, Attributes> {
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly backend: NativeBackend;
  readonly native: Addon;
}

/** A kernel under tfjs's name for it, or that of an operation of ours. */
export interface NativeKernel {
  readonly name: string;
  readonly run: (call: never) => tf.TensorInfo | tf.TensorInfo[];
}

export function nativeKernel<Inputs, Attributes = unknown>(
  name: string,
  run: (call: Call<Inputs, Attributes>) => tf.TensorInfo | tf.TensorInfo[],
): NativeKernel {
  return { name, run };
}
