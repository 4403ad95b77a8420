import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import {
  batchNormBackwardProgram,
  batchNormProgram,
  batchNormSumsProgram,
  columnMomentsProgram,
} from "../shaders/batch-norm.ts";
import { columnsOfGroup } from "../shaders/rows.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
import { sumRows } from "./sum-rows.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

type X = { readonly x: tf.TensorInfo };
type Statistics = { readonly mean: tf.TensorInfo; readonly variance: tf.TensorInfo };
type Inputs = X &
  Statistics & {
    readonly weight: tf.TensorInfo;
    readonly bias: tf.TensorInfo;
    readonly residual?: tf.TensorInfo;
  };
type Saved = X &
  Statistics & {
    readonly dy: tf.TensorInfo;
    readonly weight: tf.TensorInfo;
    /** The output, where it went through a ReLU. */
    readonly y?: tf.TensorInfo;
  };
interface Attributes {
  readonly epsilon: number;
  readonly activation: "none" | "relu";
  readonly hasResidual: boolean;
}

const momentsProgram = remembered(columnMomentsProgram);
const forwardProgram = remembered(batchNormProgram);
const sumsProgram = remembered(batchNormSumsProgram);
const backwardProgram = remembered(batchNormBackwardProgram);

/** How many rows one thread goes through. */
const rowsOfChunk = 256;

/** How many chunks `[rows, columns]` are cut into, and groups that go through them. */
function cut({ x }: X) {
  const [rows, columns] = x.shape as [number, number];
  const chunks = Math.ceil(rows / rowsOfChunk);
  return { rows, columns, chunks, groups: chunks * Math.ceil(columns / columnsOfGroup) };
}

/** A moment of the columns: the mean, or about `mean` the variance. */
function moment(backend: DinoWebGPUBackend, x: tf.TensorInfo, mean?: tf.TensorInfo): tf.TensorInfo {
  const { rows, columns, chunks, groups } = cut({ x });
  const parts = backend.output([chunks, columns]);
  backend.run(momentsProgram(mean !== undefined), {
    reads: [x, ...(mean ? [mean] : [])],
    writes: [parts],
    scalars: { rows, columns, rowsOfChunk, factor: 1 / rows },
    groups,
  });
  const y = backend.output([columns]);
  sumRows(backend, { x: parts, rows: chunks, columns }, y);
  backend.free(parts);
  return y;
}

/** Batch normalisation in training with what ends a residual block: five dispatches forward, three back. */
export const batchNormKernels: readonly WebgpuKernel[] = [
  webgpuKernel<X>("DinoColumnMoments", ({ inputs: { x }, backend }) => {
    const mean = moment(backend, x);
    return [mean, moment(backend, x, mean)];
  }),

  webgpuKernel<Inputs, Attributes>(
    "DinoBatchNormTraining",
    ({ inputs, attributes: { epsilon, activation }, backend }) => {
      const { x, mean, variance, weight, bias, residual } = inputs;
      const y = backend.output(x.shape);
      const size = sizeOf(x);
      const ending = { activates: activation === "relu", hasResidual: residual !== undefined };
      backend.run(forwardProgram(ending), {
        reads: [x, mean, variance, weight, bias, ...(residual ? [residual] : [])],
        writes: [y],
        scalars: { size, columns: x.shape[1] as number, epsilon },
        groups: groupsFor(size),
      });
      return [y];
    },
  ),

  webgpuKernel<Saved, Attributes>(
    "DinoBatchNormTrainingBackward",
    ({ inputs, attributes: { epsilon, hasResidual }, backend }) => {
      const { dy, x, mean, variance, weight, y } = inputs;
      const { rows, columns, chunks, groups } = cut(inputs);
      const ending = { activates: y !== undefined, hasResidual };
      const parts = backend.output([chunks, 2 * columns]);
      const slope = y && hasResidual ? backend.output(x.shape) : undefined;
      backend.run(sumsProgram(ending), {
        reads: [dy, x, mean, variance, ...(y ? [y] : [])],
        writes: [parts, ...(slope ? [slope] : [])],
        scalars: { rows, columns, rowsOfChunk, epsilon },
        groups,
      });
      const sums = backend.output([2 * columns]);
      sumRows(backend, { x: parts, rows: chunks, columns: 2 * columns }, sums);
      backend.free(parts);
      const dx = backend.output(x.shape);
      const before = slope === undefined ? y : undefined;
      const size = sizeOf(x);
      backend.run(backwardProgram(before !== undefined), {
        reads: [slope ?? dy, x, mean, variance, weight, sums, ...(before ? [before] : [])],
        writes: [dx],
        scalars: { size, columns, epsilon, factor: 1 / rows },
        groups: groupsFor(size),
      });
      const dWeight = backend.firstValues(sums, [columns]);
      const dBias = backend.firstValues(sums, [columns], columns);
      backend.free(sums);
      return [dx, dWeight, dBias, ...(hasResidual ? [slope ?? backend.same(dy)] : [])];
    },
  ),
];
