import type * as tf from "@tensorflow/tfjs-core";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";
import { backwardSize, forwardSize } from "./product-size.ts";

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

export const linearKernels: readonly NativeKernel[] = [
  nativeKernel<Inputs, { readonly activation: Activation; readonly forGradient: boolean }>(
    "DinoLinear",
    ({ inputs: { x, weight, bias }, attributes, backend, native }) => {
      const { activation, forGradient } = attributes;
      const size = forwardSize(x.shape[0] as number, weight, backend);
      const y = backend.output([size.rows, size.outputs]);
      const before =
        activation !== "none" && forGradient
          ? backend.output([size.rows, size.outputs])
          : undefined;
      native.affine(
        backend.values(x),
        backend.values(weight),
        backend.values(bias),
        activation,
        backend.values(y),
        before && backend.values(before),
        size,
      );
      return before ? [y, before] : [y];
    },
  ),

  nativeKernel<Saved, { readonly activation: Activation }>(
    "DinoLinearBackward",
    ({ inputs: { dy, x, weight, before }, attributes: { activation }, backend, native }) => {
      const rows = x.shape[0] as number;
      let slope = dy;
      if (activation !== "none" && before !== undefined) {
        slope = backend.output(dy.shape);
        native.activationBack(
          backend.values(dy),
          backend.values(before),
          activation,
          backend.values(slope),
        );
      }
      const dx = backend.output(x.shape);
      const dWeight = backend.output(weight.shape);
      const dBias = backend.output([weight.shape[0] as number]);
      const gradient = backend.values(slope);
      const size = backwardSize(rows, weight, backend);
      native.productBack(
        gradient,
        undefined,
        backend.values(weight),
        undefined,
        backend.values(dx),
        size,
      );
      native.weightBack(
        gradient,
        undefined,
        backend.values(x),
        false,
        backend.values(dWeight),
        backend.values(dBias),
        forwardSize(rows, weight, backend),
      );
      if (slope !== dy) backend.disposeData(slope.dataId);
      return [dx, dWeight, dBias];
    },
  ),

  nativeKernel<{ readonly x: tf.TensorInfo }>("DinoGelu", ({ inputs: { x }, backend, native }) => {
    const y = backend.output(x.shape);
    native.gelu(backend.values(x), backend.values(y), undefined);
    return [y];
  }),

  nativeKernel<{ readonly x: tf.TensorInfo }>(
    "DinoGeluParts",
    ({ inputs: { x }, backend, native }) => {
      const [y, slope] = [backend.output(x.shape), backend.output(x.shape)];
      native.gelu(backend.values(x), backend.values(y), backend.values(slope));
      return [y, slope];
    },
  ),

  nativeKernel<{ readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo }>(
    "DinoGeluBackward",
    ({ inputs: { dy, x }, backend, native }) => {
      const dx = backend.output(x.shape);
      native.activationBack(backend.values(dy), backend.values(x), "gelu", backend.values(dx));
      return [dx];
    },
  ),
];
