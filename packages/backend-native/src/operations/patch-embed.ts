import type * as tf from "@tensorflow/tfjs-core";
import type { GridInfo } from "../kernels.ts";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";

interface Inputs {
  readonly images: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly bias: tf.TensorInfo;
  readonly classToken: tf.TensorInfo;
  readonly positions: tf.TensorInfo;
}
interface Saved {
  readonly dy: tf.TensorInfo;
  readonly images: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
}

export const patchEmbedKernels: readonly NativeKernel[] = [
  nativeKernel<Inputs>("DinoPatchEmbed", ({ inputs, backend, native }) => {
    const { images, weight, bias, classToken, positions } = inputs;
    const [tokens, dim] = positions.shape as [number, number];
    const y = backend.output([(images.shape[0] as number) * tokens, dim]);
    native.embedPatches(
      backend.values(images),
      backend.values(weight),
      backend.values(bias),
      backend.values(classToken),
      backend.values(positions),
      backend.values(y),
      gridOf(images, weight),
      backend.precision === "bf16",
    );
    return [y];
  }),

  nativeKernel<Saved, { readonly pixelGradients: boolean }>(
    "DinoPatchEmbedBackward",
    ({ inputs: { dy, images, weight }, attributes: { pixelGradients }, backend, native }) => {
      const [rows, dim] = dy.shape as [number, number];
      const tokens = rows / (images.shape[0] as number);
      const grid = gridOf(images, weight);
      const [dWeight, dBias] = [backend.output(weight.shape), backend.output([dim])];
      const dPositions = backend.output([tokens, dim]);
      native.embedPatchesBack(
        backend.values(dy),
        backend.values(images),
        backend.values(dWeight),
        backend.values(dBias),
        backend.values(dPositions),
        grid,
        backend.precision === "bf16",
      );
      const dClassToken = backend.output([1, 1, dim]);
      backend.values(dClassToken).set(backend.values(dPositions).subarray(0, dim));
      const gradients = [dWeight, dBias, dClassToken, dPositions];
      if (!pixelGradients) return gradients;
      const dImages = backend.output(images.shape);
      native.embedPatchesPixelsBack(
        backend.values(dy),
        backend.values(weight),
        backend.values(dImages),
        dim,
        grid,
      );
      return [...gradients, dImages];
    },
  ),
];

function gridOf(images: tf.TensorInfo, weight: tf.TensorInfo): GridInfo {
  const [pictures, rows, columns, channels] = images.shape as [number, number, number, number];
  return { pictures, rows, columns, channels, patch: weight.shape[2] as number };
}
