import type * as tf from "@tensorflow/tfjs-core";
import {
  l2NormalizeBackwardProgram,
  l2NormalizeProgram,
  rowScalesProgram,
  weightNormBackwardProgram,
} from "../shaders/head.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { forwardProduct, rowsProduct, weightProduct } from "./linear.ts";
import { multiply } from "./product.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface Layer {
  readonly x: tf.TensorInfo;
  readonly gain: tf.TensorInfo;
  readonly direction: tf.TensorInfo;
}

/** What a weight's rows are multiplied by to have the lengths `gain`. */
function rowScales(backend: DinoWebGPUBackend, { gain, direction }: Layer): tf.TensorInfo {
  const [rows, columns] = direction.shape as [number, number];
  const scales = backend.output([rows]);
  backend.run(rowScalesProgram, {
    reads: [direction, gain],
    writes: [scales],
    scalars: { rows, columns },
    groups: rows,
  });
  return scales;
}

/** The end of the projection head: rows of length 1, and the last layer. */
export const headKernels: readonly WebgpuKernel[] = [
  webgpuKernel<{ readonly x: tf.TensorInfo }, { readonly epsilon: number }>(
    "DinoL2Normalize",
    ({ inputs: { x }, attributes: { epsilon }, backend }) => {
      const [rows, columns] = x.shape as [number, number];
      const [y, norm] = [backend.output(x.shape), backend.output([rows, 1])];
      backend.run(l2NormalizeProgram, {
        reads: [x],
        writes: [y, norm],
        scalars: { rows, columns, epsilon },
        groups: rows,
      });
      return [y, norm];
    },
  ),

  webgpuKernel<
    { readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo; readonly norm: tf.TensorInfo },
    { readonly epsilon: number }
  >("DinoL2NormalizeBackward", ({ inputs: { dy, x, norm }, attributes: { epsilon }, backend }) => {
    const [rows, columns] = x.shape as [number, number];
    const dx = backend.output(x.shape);
    backend.run(l2NormalizeBackwardProgram, {
      reads: [dy, x, norm],
      writes: [dx],
      scalars: { rows, columns, epsilon },
      groups: rows,
    });
    return [dx];
  }),

  webgpuKernel<Layer>("DinoWeightNormLinear", ({ inputs, backend }) => {
    const product = forwardProduct(inputs.x, inputs.direction);
    const y = backend.output([product.rows, product.columns]);
    const scales = rowScales(backend, inputs);
    multiply(backend, { ...product, y, columnFactors: scales });
    backend.free(scales);
    return [y];
  }),

  webgpuKernel<Layer & { readonly dy: tf.TensorInfo }>(
    "DinoWeightNormLinearBackward",
    ({ inputs, backend }) => {
      const { dy, x, gain, direction } = inputs;
      const [rows, columns] = direction.shape as [number, number];
      const scales = rowScales(backend, inputs);
      const dx = backend.output(x.shape);
      multiply(backend, { ...rowsProduct(dy, direction), y: dx, innerFactors: scales });
      backend.free(scales);
      const [dGain, dDirection] = [backend.output(gain.shape), backend.output(direction.shape)];
      multiply(backend, { ...weightProduct(dy, x, direction.shape), y: dDirection });
      backend.run(weightNormBackwardProgram, {
        reads: [direction, gain],
        writes: [dDirection, dGain],
        scalars: { rows, columns },
        groups: rows,
      });
      return [dx, dGain, dDirection];
    },
  ),
];
