import type * as tf from "@tensorflow/tfjs-core";
import type { ProductSize } from "../kernels.ts";
import type { NativeBackend } from "../native-backend.ts";

/** The sizes of `x wT`, of rows `x` and a weight `[outputs, inputs]`. */
export function forwardSize(
  rows: number,
  weight: tf.TensorInfo,
  { precision }: NativeBackend,
): ProductSize {
  const [outputs, inputs] = weight.shape as [number, number];
  return { rows, inputs, outputs, bf16: precision === "bf16" };
}

/** The sizes of `dy w`: the way back. */
export function backwardSize(
  rows: number,
  weight: tf.TensorInfo,
  { precision }: NativeBackend,
): ProductSize {
  const [outputs, inputs] = weight.shape as [number, number];
  return { rows, inputs: outputs, outputs: inputs, bf16: precision === "bf16" };
}
