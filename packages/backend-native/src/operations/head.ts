import type * as tf from "@tensorflow/tfjs-core";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";

interface Layer {
  readonly x: tf.TensorInfo;
  readonly gain: tf.TensorInfo;
  readonly direction: tf.TensorInfo;
}

/** The end of the projection head: rows of length 1, and the last layer. */
export const headKernels: readonly NativeKernel[] = [
  nativeKernel<{ readonly x: tf.TensorInfo }, { readonly epsilon: number }>(
    "DinoL2Normalize",
    ({ inputs: { x }, attributes: { epsilon }, backend, native }) => {
      const y = backend.output(x.shape);
      const norm = backend.output([x.shape[0] as number, 1]);
      native.unitRows(backend.values(x), epsilon, backend.values(y), backend.values(norm));
      return [y, norm];
    },
  ),

  nativeKernel<
    { readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo; readonly norm: tf.TensorInfo },
    { readonly epsilon: number }
  >(
    "DinoL2NormalizeBackward",
    ({ inputs: { dy, x, norm }, attributes: { epsilon }, backend, native }) => {
      const dx = backend.output(x.shape);
      native.unitRowsBack(
        backend.values(dy),
        backend.values(x),
        backend.values(norm),
        epsilon,
        backend.values(dx),
      );
      return [dx];
    },
  ),

  nativeKernel<Layer>(
    "DinoWeightNormLinear",
    ({ inputs: { x, gain, direction }, backend, native }) => {
      const [rows, inputs] = x.shape as [number, number];
      const y = backend.output([rows, gain.shape[0] as number]);
      native.weightNormLinear(
        backend.values(x),
        backend.values(gain),
        backend.values(direction),
        backend.values(y),
        rows,
        inputs,
      );
      return [y];
    },
  ),

  nativeKernel<Layer & { readonly dy: tf.TensorInfo }>(
    "DinoWeightNormLinearBackward",
    ({ inputs: { dy, x, gain, direction }, backend, native }) => {
      const [rows, inputs] = x.shape as [number, number];
      const dx = backend.output(x.shape);
      const [dGain, dDirection] = [backend.output(gain.shape), backend.output(direction.shape)];
      native.weightNormLinearBack(
        backend.values(x),
        backend.values(gain),
        backend.values(direction),
        backend.values(dy),
        backend.values(dx),
        backend.values(dGain),
        backend.values(dDirection),
        rows,
        inputs,
      );
      return [dx, dGain, dDirection];
    },
  ),
];
