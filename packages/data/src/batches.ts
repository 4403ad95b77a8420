import type * as tf from "@tensorflow/tfjs-core";
import type { BrokenPicture } from "./dataset.ts";

/**
 * The crops of one step: one tensor per size, `[views * batch, rows, columns, 3]`, crop-major
 * (rows `v * batch` to `v * batch + batch - 1` are crop `v` of every picture), global crops
 * first, normalised. Whoever receives them disposes them.
 */
export type Crops = readonly tf.Tensor4D[];

export interface StepsOptions {
  /** The first step, counted from the beginning of the training; default 0. */
  readonly from?: number;
  /** The step to stop before; default: never. */
  readonly to?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Endless, repeatable batches of crops: step `s` is the same whatever came before it. */
export interface Loader {
  /** Steps in an epoch. Pictures that do not fill a last batch wait for another epoch's order. */
  readonly perEpoch: number;
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** The pictures found broken so far, in the data set's order. */
  readonly broken: readonly BrokenPicture[];
  /** Seconds that consumers have waited for data so far. */
  readonly waited: number;
  /** The crops of steps `from` to `to - 1`. */
  steps(options?: StepsOptions): AsyncIterable<Crops>;
  /** Stops what is under way and frees threads and memory. A closed loader cannot be used again. */
  close(): Promise<void>;
}

export interface LabeledBatch {
  /** `[batch, size, size, 3]`, normalised. Whoever receives it disposes it. */
  readonly images: tf.Tensor4D;
  /** A class for each picture, or -1. */
  readonly labels: Int32Array;
}

/** Pictures as evaluation sees them, in the data set's order. May be iterated more than once. */
export interface LabeledImages extends AsyncIterable<LabeledBatch> {
  /** How many pictures there are, all batches together. */
  readonly length: number;
  /** The pictures found broken so far, in the data set's order. */
  readonly broken: readonly BrokenPicture[];
}

/** Endless, repeatable batches of pictures with classes: step `s` is the same whatever came before it. */
export interface LabeledLoader extends Omit<Loader, "steps"> {
  /** The pictures of steps `from` to `to - 1`; an epoch's last step may have fewer. */
  steps(options?: StepsOptions): AsyncIterable<LabeledBatch>;
}
