import { fold, key, random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import type { FeatureSource } from "../feature-source.ts";
import type { Features } from "../features.ts";
import type { LongCall } from "../long-call.ts";
import { evaluateLinear } from "./evaluate-linear.ts";
import { holdOut } from "./held-out.ts";
import { linearProbe } from "./linear-probe.ts";
import { shuffledFeatures } from "./shuffled-features.ts";
import { type LinearSnapshot, type TrainLinearOptions, trainLinear } from "./train-linear.ts";

export interface SweepOptions
  extends LongCall,
    Pick<TrainLinearOptions, "epochs" | "onEpoch" | "save"> {
  readonly classes: number;
  /** The learning rates that are tried, each of a classifier's first epoch. */
  readonly learningRates: readonly number[];
  readonly batchSize: number;
  readonly seed: number;
  /** The share of each class that decides and is not trained on. Default 0.1. */
  readonly heldOut?: number;
  /** Where it goes on. Consumed. */
  readonly from?: LinearSnapshot | undefined;
}

/** How good a learning rate is, on what was held out. */
export interface SweptRate {
  readonly learningRate: number;
  readonly top1: number;
  /** Mean cross-entropy in nats; not finite where the classifier has diverged. */
  readonly loss: number;
}

export interface Sweep {
  readonly rates: readonly SweptRate[];
  /** The learning rate of the highest top-1, and of those the lowest loss. */
  readonly best: number;
}

/**
 * Finds the learning rate of a linear probe: trains a classifier with each on the same features, in
 * one pass over them, and judges all on a part that was held out. No test set has a say.
 */
export async function sweepLearningRates(
  features: Features | FeatureSource,
  options: SweepOptions,
): Promise<Sweep> {
  const { classes, learningRates, batchSize, seed, heldOut = 0.1, from, ...training } = options;
  if (learningRates.length === 0) {
    throw new RangeError("learningRates: expected at least one, got none");
  }
  const { rest, held } = holdOut(features, { share: heldOut, seed });
  const probe = linearProbe({ dim: features.dim, classes, classifiers: learningRates.length });
  const { state } = await trainLinear({
    ...training,
    probe,
    learningRates,
    features: shuffledFeatures(rest, { batchSize, seed }),
    from: from ?? probe.init(probeRandom(seed)),
  });
  try {
    const figures = await evaluateLinear(probe, state, held, { signal: options.signal });
    const rates = figures.map(({ top1, loss }, i) => ({
      learningRate: learningRates[i] as number,
      top1,
      loss,
    }));
    return { rates, best: rates.reduce((a, b) => (isBetter(b, a) ? b : a)).learningRate };
  } finally {
    tf.dispose(state);
  }
}

/** The stream that a probe of this seed begins with: the same in a sweep and in what follows it. */
export function probeRandom(seed: number): ReturnType<typeof random> {
  return random(fold(key(seed), 0x6c696e65));
}

function isBetter(a: SweptRate, b: SweptRate): boolean {
  if (!Number.isFinite(a.loss)) return false;
  if (!Number.isFinite(b.loss)) return true;
  return a.top1 > b.top1 || (a.top1 === b.top1 && a.loss < b.loss);
}
