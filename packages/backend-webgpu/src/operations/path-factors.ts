import type { Segment } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import { rowFactorsProgram, scaleRowsProgram } from "../shaders/rows.ts";
import { segmentSlots, segmentValues } from "../shaders/segments.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { groupsFor, sizeOf } from "./size-of.ts";

const program = remembered(rowFactorsProgram);

/** A factor for each row from one for each sequence; undefined where there is none. */
export function pathFactors(
  backend: DinoWebGPUBackend,
  scale: tf.TensorInfo | undefined,
  segments: readonly Segment[],
  rows: number,
): tf.TensorInfo | undefined {
  if (scale === undefined) return undefined;
  const factors = backend.output([rows]);
  backend.run(program(segmentSlots(segments)), {
    reads: [scale],
    writes: [factors],
    scalars: { rows, ...segmentValues(segments) },
    groups: groupsFor(rows),
  });
  return factors;
}

/** The rows times their factors; the rows themselves, once more, where there are none. */
export function scaledRows(
  backend: DinoWebGPUBackend,
  x: tf.TensorInfo,
  factors: tf.TensorInfo | undefined,
): tf.TensorInfo {
  if (factors === undefined) return backend.same(x);
  const y = backend.output(x.shape);
  const size = sizeOf(x);
  backend.run(scaleRowsProgram, {
    reads: [x, factors],
    writes: [y],
    scalars: { size, columns: x.shape[1] as number },
    groups: groupsFor(size),
  });
  return y;
}
