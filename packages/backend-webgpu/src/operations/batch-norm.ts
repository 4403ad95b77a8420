import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import {
  batchNormBackwardProgram,
  batchNormProgram,
  batchNormSumsProgram,
  batchNormTotalsProgram,
  chunkMomentsProgram,
  columnsOfGroup,
  joinMomentsProgram,
  moveStatisticsProgram,
} from "../shaders/batch-norm.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
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

const forwardProgram = remembered(batchNormProgram);
const sumsProgram = remembered(batchNormSumsProgram);
const backwardProgram = remembered(batchNormBackwardProgram);
const movedProgram = remembered(moveStatisticsProgram);

/** How many rows one thread goes through at least, and among how many threads a column is shared at most. */
const leastRows = 256;
const mostChunks = 256;

/** How many chunks `[rows, columns]` are cut into, and how many groups go through all or one of them. */
function cut({ x }: X) {
  const [rows, columns] = x.shape as [number, number];
  const rowsOfChunk = Math.max(leastRows, Math.ceil(rows / mostChunks));
  const chunks = Math.ceil(rows / rowsOfChunk);
  const blocks = Math.ceil(columns / columnsOfGroup);
  return { rows, columns, rowsOfChunk, chunks, blocks, groups: chunks * blocks };
}

/** Batch normalisation in training with what ends a residual block: three dispatches forward, three back. */
export const batchNormKernels: readonly WebgpuKernel[] = [
  webgpuKernel<X>("DinoColumnMoments", ({ inputs: { x }, backend }) => {
    const { rows, columns, rowsOfChunk, chunks, blocks, groups } = cut({ x });
    const scalars = { rows, columns, rowsOfChunk };
    const parts = backend.output([chunks, 2 * columns]);
    backend.run(chunkMomentsProgram, { reads: [x], writes: [parts], scalars, groups });
    const moments = [backend.output([columns]), backend.output([columns])];
    const joined = { reads: [parts], writes: moments, scalars, groups: blocks };
    backend.run(joinMomentsProgram, joined);
    backend.free(parts);
    return moments;
  }),

  webgpuKernel<
    Statistics & {
      readonly runningMean: tf.TensorInfo;
      readonly runningVariance: tf.TensorInfo;
      readonly count?: tf.TensorInfo;
    },
    { readonly share: number; readonly unbias: number }
  >("DinoMoveStatistics", ({ inputs, attributes: { share, unbias }, backend }) => {
    const { runningMean, runningVariance, mean, variance, count } = inputs;
    const columns = sizeOf(mean);
    const running = [runningMean, runningVariance, ...(count ? [count] : [])];
    const next = running.map((tensor) => backend.successor(tensor));
    backend.run(movedProgram(count?.dtype), {
      reads: [...running, mean, variance],
      writes: next,
      scalars: { columns, share, keeps: 1 - share, unbias },
      groups: groupsFor(columns),
    });
    return next;
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
      const { rows, columns, rowsOfChunk, chunks, blocks, groups } = cut(inputs);
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
      const [dWeight, dBias] = [backend.output([columns]), backend.output([columns])];
      backend.run(batchNormTotalsProgram, {
        reads: [parts],
        writes: [sums, dWeight, dBias],
        scalars: { chunks, columns },
        groups: blocks,
      });
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
      backend.free(sums);
      return [dx, dWeight, dBias, ...(hasResidual ? [slope ?? backend.same(dy)] : [])];
    },
  ),
];
