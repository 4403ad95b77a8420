import type * as tf from "@tensorflow/tfjs-core";
import { imageTensorProgram } from "../shaders/image-tensor.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface Inputs {
  /** Four bytes to a number. */
  readonly bytes: tf.TensorInfo;
  /** The 256 values of each channel, `[3 * 256]`. */
  readonly table: tf.TensorInfo;
}

/** Pictures are uploaded as bytes, and normalised on the device. */
export const imageTensorKernels: readonly WebgpuKernel[] = [
  webgpuKernel<Inputs, { readonly shape: readonly number[] }>(
    "DinoImageTensor",
    ({ inputs: { bytes, table }, attributes: { shape }, backend }) => {
      const images = backend.output(shape);
      const size = sizeOf(images);
      backend.run(imageTensorProgram, {
        reads: [bytes, table],
        writes: [images],
        scalars: { size },
        groups: groupsFor(size),
      });
      return images;
    },
  ),
];
