import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import {
  layerNormAgainProgram,
  layerNormBackwardProgram,
  layerNormProgram,
} from "../shaders/layer-norm.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
import { sumRows } from "./sum-rows.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
  readonly bias: tf.TensorInfo;
}
/** A row's mean and the inverse of its standard deviation, `[rows, 1]`. */
interface Statistics {
  readonly mean: tf.TensorInfo;
  readonly inverseStd: tf.TensorInfo;
}
interface Slopes extends Statistics {
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly weight: tf.TensorInfo;
}

const forwardProgram = remembered(layerNormProgram);
const againProgram = remembered(layerNormAgainProgram);
const backwardProgram = remembered(layerNormBackwardProgram);

/** Groups among which the rows are shared, each with a sum of its own for every weight. */
const mostGroups = 512;

/** Rows that a product multiplies, unless they are `forEveryone`: float32 in any precision. */
export function layerNorm(
  backend: DinoWebGPUBackend,
  { x, weight, bias }: Inputs,
  epsilon: number,
  forEveryone = false,
): Statistics & { readonly y: tf.TensorInfo } {
  const [rows, columns] = x.shape as [number, number];
  const y = forEveryone ? backend.output(x.shape) : backend.operand([rows, columns]);
  const [mean, inverseStd] = [backend.output([rows, 1]), backend.output([rows, 1])];
  backend.run(forwardProgram(backend.isHalf(y)), {
    reads: [x, weight, bias],
    writes: [y, mean, inverseStd],
    scalars: { rows, columns, epsilon },
    groups: rows,
  });
  return { y, mean, inverseStd };
}

/** The output once more. */
export function layerNormAgain(
  backend: DinoWebGPUBackend,
  { x, weight, bias, mean, inverseStd }: Inputs & Statistics,
  forEveryone = false,
): tf.TensorInfo {
  const [rows, columns] = x.shape as [number, number];
  const y = forEveryone ? backend.output(x.shape) : backend.operand([rows, columns]);
  const size = sizeOf(x);
  backend.run(againProgram(backend.isHalf(y)), {
    reads: [x, weight, bias, mean, inverseStd],
    writes: [y],
    scalars: { size, columns },
    groups: groupsFor(backend.isHalf(y) ? size / 2 : size),
  });
  return y;
}

/** The gradients of the rows, `onto` added to it, of the weight, and of the bias. */
export function layerNormBackward(
  backend: DinoWebGPUBackend,
  { dy, x, weight, mean, inverseStd }: Slopes,
  onto?: tf.TensorInfo,
): [dx: tf.TensorInfo, dWeight: tf.TensorInfo, dBias: tf.TensorInfo] {
  const [rows, columns] = x.shape as [number, number];
  const rowsOfGroup = Math.max(4, Math.ceil(rows / mostGroups));
  const groups = Math.ceil(rows / rowsOfGroup);
  const dx = backend.output(x.shape);
  const partial = backend.output([groups, 2 * columns]);
  backend.run(backwardProgram(columns, onto !== undefined), {
    reads: [dy, x, weight, mean, inverseStd, ...(onto ? [onto] : [])],
    writes: [dx, partial],
    scalars: { rows, columns, rowsOfGroup },
    groups,
  });
  const [dWeight, dBias] = [backend.output([columns]), backend.output([columns])];
  sumRows(backend, { x: partial, rows: groups, columns: 2 * columns }, dWeight, {
    tensor: dBias,
    split: columns,
  });
  backend.free(partial);
  return [dx, dWeight, dBias];
}

export const layerNormKernels: readonly WebgpuKernel[] = [
  webgpuKernel<Inputs, { readonly epsilon: number }>(
    "DinoLayerNorm",
    ({ inputs, attributes: { epsilon }, backend }) => {
      const { y, mean, inverseStd } = layerNorm(backend, inputs, epsilon, true);
      return [y, mean, inverseStd];
    },
  ),
  webgpuKernel<Inputs & Statistics>("DinoLayerNormAgain", ({ inputs, backend }) => [
    layerNormAgain(backend, inputs, true),
  ]),
  webgpuKernel<Slopes>("DinoLayerNormBackward", ({ inputs, backend }) =>
    layerNormBackward(backend, inputs),
  ),
];
