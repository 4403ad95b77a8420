import type * as tf from "@tensorflow/tfjs-core";

/** Where a tensor lies that shares a buffer with others. */
export interface Place {
  /** The buffer's elements as a tensor. */
  readonly whole: tf.TensorInfo;
  /** Where in it the tensor begins, and how many elements it has. */
  readonly start: number;
  readonly size: number;
}

/** Every tensor of a row begins at a multiple of so many elements: where any adapter can bind it. */
export const stride = 64;

/** So many elements, and what is left over behind them. */
export function padded(size: number): number {
  return stride * Math.ceil(size / stride);
}

/** Where tensors of these sizes begin that lie one behind the other, and how many elements they take. */
export function layInRow(sizes: readonly number[]): {
  readonly starts: readonly number[];
  readonly length: number;
} {
  let length = 0;
  const starts = sizes.map((size) => {
    const start = length;
    length += padded(size);
    return start;
  });
  return { starts, length };
}

/** The tensor in which those of these places lie, in this order and without any other; else undefined. */
export function wholeOf(places: readonly (Place | undefined)[]): tf.TensorInfo | undefined {
  const [first] = places;
  if (first === undefined) return undefined;
  let next = 0;
  for (const place of places) {
    if (place?.whole.dataId !== first.whole.dataId || place.start !== next) return undefined;
    next += padded(place.size);
  }
  return first.whole.shape[0] === next ? first.whole : undefined;
}
