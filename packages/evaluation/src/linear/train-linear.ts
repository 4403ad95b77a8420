import * as tf from "@tensorflow/tfjs-core";
import type { FeatureSource } from "../feature-source.ts";
import type { Features } from "../features.ts";
import type { LongCall } from "../long-call.ts";
import { evaluateLinear, type LinearFigures } from "./evaluate-linear.ts";
import type { FeatureStream } from "./feature-stream.ts";
import type { LabeledFeatures, LinearProbe, LinearProbeState } from "./linear-probe.ts";

/** All that a training goes on from. */
export interface LinearSnapshot {
  readonly state: LinearProbeState;
  /** Steps that are done. */
  readonly step: number;
  /** Epochs that are done, and have been reported. */
  readonly epoch: number;
  /** The losses of the steps since then, summed, of each classifier. */
  readonly lossSums: readonly number[];
  /** The best top-1 so far on the validation set, of each classifier; 0 before the first. */
  readonly bestTop1: readonly number[];
}

/** What one epoch was like, by classifier. */
export interface LinearEpoch {
  /** Counted from 0. */
  readonly epoch: number;
  readonly learningRates: readonly number[];
  /** The mean over its steps. */
  readonly losses: readonly number[];
  /** Figures on the validation set after the epochs in which it is asked. */
  readonly validation: readonly LinearFigures[] | undefined;
  readonly bestTop1: readonly number[];
}

export interface TrainLinearOptions extends LongCall {
  readonly probe: LinearProbe;
  readonly features: FeatureStream;
  /** The learning rate of each classifier in the first epoch; a cosine takes it to 0. */
  readonly learningRates: readonly number[];
  readonly epochs: number;
  /** Where it begins, or goes on. Consumed. */
  readonly from: LinearProbeState | LinearSnapshot;
  /** Judged now and then, and at the end. */
  readonly validation?: Features | FeatureSource | undefined;
  /** Epochs from one judgement to the next. Default 1. */
  readonly validateEvery?: number;
  readonly onEpoch?: ((epoch: LinearEpoch) => void) | undefined;
  /**
   * Keeps what the training may go on from, bit for bit: after each epoch, every few minutes, and
   * when it is told to stop. The tensors stay the training's.
   */
  readonly save?: ((snapshot: LinearSnapshot) => Promise<void>) | undefined;
}

/** Milliseconds between two saves within an epoch. */
const saveEvery = 5 * 60_000;

/** The paper's learning rate of an epoch: half a cosine from `first` to 0. */
export function epochLearningRate(first: number, epoch: number, epochs: number): number {
  return 0.5 * first * (1 + Math.cos((Math.PI * epoch) / epochs));
}

/**
 * Trains linear classifiers epoch by epoch and gives the last state, which the caller owns. One
 * whose loss is no longer finite is given up; when all are, it is an error.
 */
export async function trainLinear(options: TrainLinearOptions): Promise<LinearSnapshot> {
  const { probe, features, epochs, validateEvery = 1, signal } = options;
  for (const [name, value] of Object.entries({ epochs, validateEvery })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`${name}: expected a whole number from 1, got ${value}`);
  }
  const { perEpoch } = features;
  const total = epochs * perEpoch;
  let now = "state" in options.from ? options.from : beginning(probe, options.from);
  let savedStep = now.step;
  const save = async (): Promise<void> => {
    await options.save?.(now);
    savedStep = now.step;
  };
  const steps = features.steps({ from: now.step, to: total, signal })[Symbol.asyncIterator]();
  try {
    while (now.epoch < epochs) {
      const end = (now.epoch + 1) * perEpoch;
      const rates = options.learningRates.map((rate) => epochLearningRate(rate, now.epoch, epochs));
      let savedAt = Date.now();
      while (now.step < end) {
        const { value, done } = await steps.next();
        if (done) throw new RangeError(`features: expected ${total} steps, got ${now.step}`);
        now = await stepOf(probe, now, value, rates);
        options.onProgress?.({ done: now.step, total });
        if (now.step < end && Date.now() - savedAt > saveEvery) {
          await save();
          savedAt = Date.now();
        }
      }
      const report = await finish(options, now, rates, perEpoch);
      now = {
        ...now,
        epoch: now.epoch + 1,
        lossSums: now.lossSums.map(() => 0),
        bestTop1: report.bestTop1,
      };
      options.onEpoch?.(report);
      await save();
    }
    return now;
  } catch (error) {
    try {
      if (signal?.aborted && now.step > savedStep) await save();
    } finally {
      tf.dispose(now.state);
    }
    throw error;
  } finally {
    await steps.return?.();
  }
}

function beginning({ classifiers }: LinearProbe, state: LinearProbeState): LinearSnapshot {
  const zeros = Array<number>(classifiers).fill(0);
  return { state, step: 0, epoch: 0, lossSums: zeros, bestTop1: zeros };
}

async function stepOf(
  probe: LinearProbe,
  now: LinearSnapshot,
  batch: LabeledFeatures,
  rates: readonly number[],
): Promise<LinearSnapshot> {
  try {
    const { state, losses } = probe.step(now.state, batch, rates);
    const values = await losses.data();
    losses.dispose();
    const lossSums = now.lossSums.map((sum, i) => sum + (values[i] as number));
    if (!lossSums.some(Number.isFinite)) {
      tf.dispose(state);
      throw new RangeError(
        `linear probe: expected a finite loss, got ${values[0]} in step ${now.step}: lower the ` +
          `learning rate of ${Math.min(...rates)}`,
      );
    }
    return { ...now, state, step: now.step + 1, lossSums };
  } finally {
    batch.features.dispose();
  }
}

async function finish(
  { probe, epochs, validation, validateEvery = 1, signal }: TrainLinearOptions,
  { state, epoch, lossSums, bestTop1 }: LinearSnapshot,
  learningRates: readonly number[],
  perEpoch: number,
): Promise<LinearEpoch> {
  const isDue = (epoch + 1) % validateEvery === 0 || epoch + 1 === epochs;
  const figures =
    validation && isDue ? await evaluateLinear(probe, state, validation, { signal }) : undefined;
  return {
    epoch,
    learningRates,
    losses: lossSums.map((sum) => sum / perEpoch),
    validation: figures,
    bestTop1: bestTop1.map((best, i) => Math.max(best, figures?.[i]?.top1 ?? 0)),
  };
}
