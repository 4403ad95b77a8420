import type { Params } from "@dino/ops";
import type { Key, Random } from "@dino/random";
import type * as tf from "@tensorflow/tfjs-core";

/** Crops of one step: one tensor a size, `[views * batch, rows, columns, 3]`, crop-major, global crops first. */
export type Crops = readonly tf.Tensor4D[];

/** Pictures `first` to `first + count - 1` of a batch of `batch`. */
export interface BatchPart {
  readonly first: number;
  readonly count: number;
  readonly batch: number;
}

/**
 * Given for training, absent for evaluation: batch normalisation then uses the batch's own
 * statistics, and stochastic depth acts if it has a key.
 */
export interface Training {
  /** Seeds stochastic depth. Without it nothing is dropped, as in the teacher. */
  readonly key?: Key | undefined;
  /**
   * Is told the new running statistics by parameter name. They live until it returns: it keeps
   * what it needs, and nothing else changes.
   */
  readonly onBuffers?: ((updates: Params) => void) | undefined;
  /**
   * Which pictures these are, when a batch comes in parts: what is dropped then does not depend
   * on how it was cut. Without it they are all of the batch.
   */
  readonly part?: BatchPart | undefined;
}

/** What has parameters: their names are those of the published checkpoints, their shapes PyTorch's. */
export interface Module {
  /** Every parameter and buffer by name, in the order of the reference's state dict. */
  readonly parameterShapes: Readonly<Record<string, readonly number[]>>;
  /** Parameters that are never trained. */
  readonly frozen?: readonly string[];
  /** Entries that are no parameters: running statistics. */
  readonly buffers?: readonly string[];
  /** New parameters and buffers, drawn from `random` alone. */
  init(random: Random): Params;
}

/** From pictures to features. */
export interface Backbone extends Module {
  readonly name: string;
  /** Width of the features. */
  readonly embedDim: number;
  /** Normalised pictures `[batch, rows, columns, 3]` to features `[batch, embedDim]`. */
  forward(params: Params, images: tf.Tensor4D, mode?: Training): tf.Tensor2D;
  /** Crops of several sizes in one pass, to features in the order of the crops, `[crops, embedDim]`. */
  forwardCrops?(params: Params, crops: Crops, mode?: Training): tf.Tensor2D;
  /** About how many floats the backward pass of one picture holds: what decides how many fit. */
  trainingFloats?(rows: number, columns: number): number;
}
