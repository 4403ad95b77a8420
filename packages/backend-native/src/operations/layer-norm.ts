import type * as tf from "@tensorflow/tfjs-core";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly bias: tf.TensorInfo;
}
interface Statistics {
  readonly mean: tf.TensorInfo;
  readonly inverseStd: tf.TensorInfo;
}
interface Saved extends Statistics {
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
}

export const layerNormKernels: readonly NativeKernel[] = [
  nativeKernel<Inputs, { readonly epsilon: number }>(
    "DinoLayerNorm",
    ({ inputs: { x, weight, bias }, attributes: { epsilon }, backend, native }) => {
      const rows = x.shape[0] as number;
      const y = backend.output(x.shape);
      const [mean, inverseStd] = [backend.output([rows, 1]), backend.output([rows, 1])];
      native.layerNorm(
        backend.values(x),
        backend.values(weight),
        backend.values(bias),
        epsilon,
        backend.values(y),
        backend.values(mean),
        backend.values(inverseStd),
      );
      return [y, mean, inverseStd];
    },
  ),

  nativeKernel<Inputs & Statistics>(
    "DinoLayerNormAgain",
    ({ inputs: { x, weight, bias, mean, inverseStd }, backend, native }) => {
      const y = backend.output(x.shape);
      native.layerNormAgain(
        backend.values(x),
        backend.values(weight),
        backend.values(bias),
        backend.values(mean),
        backend.values(inverseStd),
        backend.values(y),
      );
      return [y];
    },
  ),

  nativeKernel<Saved>(
    "DinoLayerNormBackward",
    ({ inputs: { dy, x, weight, mean, inverseStd }, backend, native }) => {
      const dx = backend.output(x.shape);
      const [dWeight, dBias] = [backend.output(weight.shape), backend.output(weight.shape)];
      native.layerNormBack(
        backend.values(dy),
        backend.values(x),
        backend.values(weight),
        backend.values(mean),
        backend.values(inverseStd),
        undefined,
        backend.values(dx),
        backend.values(dWeight),
        backend.values(dBias),
      );
      return [dx, dWeight, dBias];
    },
  ),
];
