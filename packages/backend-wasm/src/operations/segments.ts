import type { Segment } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import type { Address } from "../kernels.ts";

/** A segment with its first sequence and its first row. */
export interface Place extends Segment {
  readonly sequence: number;
  readonly row: number;
}

/** Where every segment begins. */
export function places(segments: readonly Segment[]): readonly Place[] {
  let [sequence, row] = [0, 0];
  return segments.map(({ sequences, tokens }) => {
    const place = { sequences, tokens, sequence, row };
    sequence += sequences;
    row += sequences * tokens;
    return place;
  });
}

/** Every sequence's rows of `x` times its own factor, into `y`, which may be `x`. */
export function scaleSequences(
  heap: Heap,
  x: Address,
  factors: Address,
  segments: readonly Segment[],
  dim: number,
  y: Address,
): void {
  for (const { sequence, row, sequences, tokens } of places(segments)) {
    const skip = 4 * row * dim;
    heap.kernels.scaleRuns(x + skip, factors + 4 * sequence, sequences, tokens * dim, y + skip);
  }
}

/**
 * The gradient of a block's branch: that of its output, or with stochastic depth a tensor of its
 * own that must be freed.
 */
export function branchGradient(
  heap: Heap,
  dy: tf.TensorInfo,
  pathScale: tf.TensorInfo | undefined,
  segments: readonly Segment[],
): { readonly at: Address; readonly free: () => void } {
  if (pathScale === undefined) return { at: heap.at(dy), free: () => undefined };
  const scaled = heap.output(dy.shape);
  const dim = dy.shape[1] as number;
  scaleSequences(heap, heap.at(dy), heap.at(pathScale), segments, dim, heap.at(scaled));
  return { at: heap.at(scaled), free: () => heap.free(scaled) };
}
