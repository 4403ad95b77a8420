import * as tf from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../native-backend.ts";
import { type Call, type NativeKernel, nativeKernel } from "../operations/native-kernel.ts";

type Result = tf.TensorInfo | tf.TensorInfo[];

/** One of tfjs's own kernels; where `run` returns nothing, tfjs's JavaScript does the work. */
export function stockKernel<Inputs, Attributes = unknown>(
  name: string,
  run: (call: Call<Inputs, Attributes>) => Result | undefined,
): NativeKernel {
  return nativeKernel<Inputs, Attributes>(
    name,
    (call) =>
      run(call) ?? runKernel(name, "cpu", call.backend, call.inputs as never, call.attributes),
  );
}

/** The result of another kernel of the native backend. */
export function runNative(
  name: string,
  backend: NativeBackend,
  inputs: tf.NamedTensorInfoMap,
  attributes: unknown = {},
): tf.TensorInfo {
  return runKernel(name, "native", backend, inputs, attributes) as tf.TensorInfo;
}

function runKernel(
  name: string,
  backendName: string,
  backend: NativeBackend,
  inputs: tf.NamedTensorInfoMap,
  attributes: unknown,
): Result {
  const kernel = tf.getKernel(name, backendName);
  if (kernel === undefined) throw new Error(`${name}: expected a kernel of ${backendName}`);
  return kernel.kernelFunc({ inputs, attrs: attributes as tf.NamedAttrMap, backend });
}

/** Whether all tensors, those that are not there left out, are float32. */
export function areFloats(...tensors: readonly (tf.TensorInfo | undefined)[]): boolean {
  return tensors.every((tensor) => tensor === undefined || tensor.dtype === "float32");
}

/** An array for where there is none. */
export const none: Float32Array = new Float32Array(0);

export const sizeFromShape: (shape: number[]) => number = tf.util.sizeFromShape;

/** How far apart neighbours along each axis of a dense array are. */
export function strides(shape: readonly number[]): number[] {
  const steps = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    steps[axis] = step;
    step *= shape[axis] ?? 1;
  }
  return steps;
}

/** For each axis of `shape`, how far an array that is repeated along some of them moves. */
export function broadcastStrides(
  from: readonly number[],
  shape: readonly number[],
): readonly number[] {
  const steps = strides(from);
  const missing = shape.length - from.length;
  return shape.map((_, axis) => (from[axis - missing] === 1 ? 0 : (steps[axis - missing] ?? 0)));
}
