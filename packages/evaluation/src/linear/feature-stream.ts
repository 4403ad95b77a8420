import type { Params } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { FeatureExtractor } from "../feature-batches.ts";
import type { LongCall } from "../long-call.ts";
import type { LabeledFeatures } from "./linear-probe.ts";

export interface StreamOptions extends Pick<LongCall, "signal"> {
  /** The first step. */
  readonly from: number;
  /** The step to stop before. */
  readonly to: number;
}

/** Endless, repeatable batches of features to train on: step `s` is the same whatever came before. */
export interface FeatureStream {
  /** Steps in an epoch, which sees each row once. */
  readonly perEpoch: number;
  /** The batches of steps `from` to `to - 1`. Whoever receives one disposes its features. */
  steps(options: StreamOptions): AsyncIterable<LabeledFeatures>;
}

/** Batches of pictures to train on, of which `labeledLoader` of `@dino/data` makes some. */
export interface LabeledPictures {
  readonly perEpoch: number;
  /** Whoever receives a batch disposes its pictures. */
  steps(options: Pick<StreamOptions, "from" | "to">): AsyncIterable<{
    /** `[batch, rows, columns, 3]`, normalised. */
    readonly images: tf.Tensor4D;
    readonly labels: Int32Array;
  }>;
}

/** What a backbone that does not change makes of pictures that are new in every epoch. */
export function featureStream(
  backbone: FeatureExtractor,
  params: Params,
  pictures: LabeledPictures,
): FeatureStream {
  return {
    perEpoch: pictures.perEpoch,
    async *steps({ from, to, signal }) {
      for await (const { images, labels } of pictures.steps({ from, to })) {
        let features: tf.Tensor2D;
        try {
          signal?.throwIfAborted();
          features = tf.tidy(() => backbone.forward(params, images));
        } finally {
          tf.dispose(images);
        }
        yield { features, labels };
      }
    },
  };
}
