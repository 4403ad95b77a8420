import type * as tf from "@tensorflow/tfjs-core";
import { dispose } from "@tensorflow/tfjs-core";
import {
  type LabeledPatches,
  type PropagateLabelsOptions,
  propagateLabels,
} from "./propagate-labels.ts";
import type { SoftLabels } from "./soft-labels.ts";

export interface SegmentVideoOptions extends PropagateLabelsOptions {
  /** How many of the latest frames are looked at, besides the first. */
  readonly lastFrames?: number;
}

/**
 * Follows objects through a video: the labels of its first frame are given, and those of every
 * other frame come from the first one and the latest ones before it. `frames` are the features of
 * each frame's patches, `[rows * columns, dim]`, from the first frame on; they are taken over and
 * disposed of. Yields the labels of the second frame and all after it.
 */
export async function* segmentVideo(
  frames: AsyncIterable<tf.Tensor2D>,
  first: SoftLabels,
  { lastFrames = 7, ...options }: SegmentVideoOptions = {},
): AsyncGenerator<SoftLabels, void> {
  if (!Number.isInteger(lastFrames) || lastFrames < 0) {
    throw new RangeError(`lastFrames: expected a whole number from 0, got ${lastFrames}`);
  }
  let start: LabeledPatches | undefined;
  const latest: LabeledPatches[] = [];
  try {
    for await (const features of frames) {
      if (start === undefined) {
        start = { features, labels: first };
        continue;
      }
      // Kept before anything can fail, so that it is disposed of whatever happens.
      const frame = { features, labels: first };
      latest.push(frame);
      const labels = await propagateLabels(features, [start, ...latest.slice(0, -1)], options);
      latest[latest.length - 1] = { features, labels };
      if (latest.length > lastFrames) dispose(latest.shift()?.features);
      yield labels;
    }
  } finally {
    dispose([start, ...latest].map((frame) => frame?.features));
  }
}
