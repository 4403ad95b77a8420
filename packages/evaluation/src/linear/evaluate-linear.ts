import * as tf from "@tensorflow/tfjs-core";
import { type FeatureSource, featureSource } from "../feature-source.ts";
import { assertLabels, assertSameDim, assertWhole, type Features } from "../features.ts";
import { giveWay, type LongCall } from "../long-call.ts";
import type { LinearProbe, LinearProbeState } from "./linear-probe.ts";

/** How right one classifier is. */
export interface LinearFigures {
  /** Percent of the rows whose own class is the first. */
  readonly top1: number;
  /** Percent of those whose own class is among the first five; absent below five classes. */
  readonly top5: number | undefined;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** The class that each row was taken for. */
  readonly predicted: Int32Array;
}

/** Values of logits at once: 64 MiB. */
const logitsAtOnce = 2 ** 24;
const rowsAtOnce = 4096;

/** What each classifier makes of features. Of equal classes the one with the smaller number is the better. */
export async function evaluateLinear(
  probe: LinearProbe,
  state: LinearProbeState,
  features: Features | FeatureSource,
  { signal, onProgress }: LongCall = {},
): Promise<readonly LinearFigures[]> {
  const { classifiers, classes, dim } = probe;
  assertWhole("features", features);
  assertSameDim("features", features, "the classifier", { dim });
  assertLabels("features", features, classes);
  const source = featureSource(features);
  const { count, labels } = source;
  const step = Math.max(1, Math.min(rowsAtOnce, Math.floor(logitsAtOnce / classifiers / classes)));
  const tallies = Array.from({ length: classifiers }, () => ({
    ...{ first: 0, firstFive: 0, loss: 0 },
    predicted: new Int32Array(count),
  }));
  for (let first = 0; first < count; first += step) {
    signal?.throwIfAborted();
    const rows = await source.read(first, Math.min(step, count - first));
    const size = rows.length / dim;
    const answers = labels.subarray(first, first + size);
    const { logits, losses } = await judged(probe, state, rows, answers);
    tallies.forEach((tally, classifier) => {
      tally.loss += (losses[classifier] as number) * size;
      for (let row = 0; row < size; row++) {
        const start = (row * classifiers + classifier) * classes;
        const { best, ahead } = rank(logits, start, classes, answers[row] as number);
        tally.predicted[first + row] = best;
        if (ahead < 1) tally.first++;
        if (ahead < 5) tally.firstFive++;
      }
    });
    onProgress?.({ done: first + size, total: count });
    await giveWay();
  }
  return tallies.map(({ first, firstFive, loss, predicted }) => ({
    top1: (100 * first) / count,
    top5: classes < 5 ? undefined : (100 * firstFive) / count,
    loss: loss / count,
    predicted,
  }));
}

async function judged(
  probe: LinearProbe,
  state: LinearProbeState,
  rows: Float32Array,
  answers: Int32Array,
): Promise<{ readonly logits: Float32Array; readonly losses: Float32Array }> {
  const tensors = tf.tidy(() => {
    const logits = probe.logits(state, tf.tensor2d(rows, [answers.length, probe.dim]));
    return [logits, probe.losses(logits, answers)] as const;
  });
  try {
    const [logits, losses] = await Promise.all(tensors.map((x) => x.data<"float32">()));
    return { logits: logits as Float32Array, losses: losses as Float32Array };
  } finally {
    tf.dispose(tensors);
  }
}

/** The best class of a row, and how many are ahead of its own. */
function rank(
  logits: Float32Array,
  start: number,
  classes: number,
  answer: number,
): { readonly best: number; readonly ahead: number } {
  const own = logits[start + answer] as number;
  let best = 0;
  let ahead = 0;
  for (let label = 0; label < classes; label++) {
    const theirs = logits[start + label] as number;
    if (theirs > (logits[start + best] as number)) best = label;
    // What is not a number is ahead of nothing, and everything is ahead of it.
    if (theirs > own || (theirs === own && label < answer) || Number.isNaN(own)) ahead++;
  }
  return { best, ahead };
}
