import type { Segment } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import { atFirstRowsProgram, firstRowsProgram } from "../shaders/rows.ts";
import { segmentSlots, segmentValues } from "../shaders/segments.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

const takeProgram = remembered(firstRowsProgram);
const putProgram = remembered(atFirstRowsProgram);

/** The first row of every sequence. */
export function firstRows(
  backend: DinoWebGPUBackend,
  x: tf.TensorInfo,
  segments: readonly Segment[],
): tf.TensorInfo {
  const columns = x.shape[1] as number;
  const sequences = segments.reduce((sum, segment) => sum + segment.sequences, 0);
  const y = backend.output([sequences, columns]);
  backend.run(takeProgram(segmentSlots(segments), backend.isHalf(x)), {
    reads: [x],
    writes: [y],
    scalars: { size: sizeOf(y), columns, ...segmentValues(segments) },
    groups: groupsFor(sizeOf(y)),
  });
  return y;
}

/** Adds rows to the first ones of the sequences of `to`. */
export function addAtFirstRows(
  backend: DinoWebGPUBackend,
  rows: tf.TensorInfo,
  segments: readonly Segment[],
  to: tf.TensorInfo,
): void {
  const size = sizeOf(rows);
  backend.run(putProgram(segmentSlots(segments), true), {
    reads: [rows],
    writes: [to],
    scalars: { size, columns: rows.shape[1] as number, ...segmentValues(segments) },
    groups: groupsFor(size),
  });
}

interface Attributes {
  readonly segments: readonly Segment[];
}

export const classTokensKernels: readonly WebgpuKernel[] = [
  webgpuKernel<{ readonly x: tf.TensorInfo }, Attributes>(
    "DinoClassTokens",
    ({ inputs: { x }, attributes: { segments }, backend }) => [firstRows(backend, x, segments)],
  ),
  webgpuKernel<{ readonly dy: tf.TensorInfo }, Attributes>(
    "DinoClassTokensBackward",
    ({ inputs: { dy }, attributes: { segments }, backend }) => {
      const columns = dy.shape[1] as number;
      const rows = segments.reduce((sum, { sequences, tokens }) => sum + sequences * tokens, 0);
      const dx = backend.output([rows, columns]);
      const size = rows * columns;
      backend.run(putProgram(segmentSlots(segments), false), {
        reads: [dy],
        writes: [dx],
        scalars: { size, columns, ...segmentValues(segments) },
        groups: groupsFor(size),
      });
      return [dx];
    },
  ),
];
