import type { Crops } from "@dino/backbones";
import { type Params, within } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { adviser } from "./advice.ts";
import { type DeviceLoss, type DeviceWatch, watchDevice } from "./device-loss.ts";
import type { Evaluation, EvaluationAt, Progress, RunStore, TrainEvent } from "./events.ts";
import type { Metrics } from "./metrics.ts";
import type { Trainer } from "./trainer.ts";
import { turn } from "./turn.ts";

/** The steps' crops; a loader of `@dino/data` is one. */
export interface Batches {
  /** Steps of an epoch. */
  readonly perEpoch: number;
  /** Pictures of a step. */
  readonly batchSize: number;
  /** Seconds spent waiting for data so far. */
  readonly waited?: number;
  steps(range: { readonly from: number; readonly to: number }): AsyncIterable<Crops>;
}

export interface EvaluationPlan {
  /** Steps between evaluations; there is one at the end in any case. */
  readonly every: number;
  /** Whether to evaluate before the first step. */
  readonly atStart?: boolean;
  /** Evaluates the teacher's backbone, whose parameters are lent. */
  run(context: { readonly step: number; readonly params: Params }): Promise<Evaluation>;
}

export interface TrainOptions {
  readonly trainer: Trainer;
  readonly batches: Batches;
  /** Steps of the whole run, those before a resume included. */
  readonly steps: number;
  readonly store?: RunStore;
  /** When aborted, the step under way is finished and saved, and the run ends early. */
  readonly signal?: AbortSignal;
  /** Steps between savings; the end is saved in any case. */
  readonly saveEvery?: number;
  /** Steps between numbered savings, which stay; 0 for none. */
  readonly numberedEvery?: number;
  /** Steps between readings of the figures: 1 where reading is free, 10 on a GPU. */
  readonly metricsEvery?: number;
  readonly evaluate?: EvaluationPlan;
  /** What this run was on before, if that was lost: told of as an event, kept with the others. */
  readonly lost?: DeviceLoss | undefined;
  readonly onEvent?: (event: TrainEvent) => void;
}

export interface TrainResult {
  /** Steps that the model has had in all. */
  readonly steps: number;
  /** Steps of this call. */
  readonly stepsRun: number;
  /** The step that this call went on from, if it did. */
  readonly resumedFrom: number | null;
  /** Mean loss of the last epoch, or of what there is of the first. */
  readonly loss: number;
  readonly imagesPerSecond: number;
  /** Whether the signal ended the run early. */
  readonly stopped: boolean;
  readonly evaluations: readonly EvaluationAt[];
}

const fresh: Progress = {
  epochLoss: 0,
  epochLearningRate: 0,
  epochWeightDecay: 0,
  epochSteps: 0,
  lastEpochLoss: null,
  best: null,
  evaluations: [],
};

/**
 * Trains to the last step: goes on from what the store holds, reads figures, evaluates, saves,
 * and tells of all of it. Rejects with a `NonFiniteLossError` before anything spoilt is saved, and
 * with a `DeviceLostError` after the step in which the backend's device is lost.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { trainer } = options;
  const device = watchDevice();
  try {
    return await trainOn(device, options);
  } catch (error) {
    throw await device.explain(error, trainer.step);
  }
}

async function trainOn(
  device: DeviceWatch,
  {
    trainer,
    batches,
    steps,
    store,
    signal,
    saveEvery = batches.perEpoch,
    numberedEvery = 0,
    metricsEvery = 1,
    evaluate,
    lost,
    onEvent,
  }: TrainOptions,
): Promise<TrainResult> {
  let progress = fresh;
  const clock = stopwatch(batches, steps);
  const tell = async (event: TrainEvent) => {
    await store?.record(event);
    onEvent?.(event);
  };
  const save = async (name: string) => {
    await store?.save({ state: trainer.state(), progress }, name);
    if (store) await tell({ type: "saved", step: trainer.step, name });
  };
  const evaluateNow = async (plan: EvaluationPlan) => {
    const { step } = trainer;
    const result = await clock.without(() =>
      plan.run({ step, params: within(trainer.teacher, "backbone.") }),
    );
    const [knn = null] = Object.values(result.knn ?? {});
    const isBest = knn !== null && (progress.best === null || knn > progress.best);
    const evaluations = [...progress.evaluations, { step, result }];
    progress = { ...progress, evaluations, best: isBest ? knn : progress.best };
    await tell({ type: "evaluation", step, result });
    if (isBest && step > 0) await save("best");
  };

  const saved = await store?.load();
  const resumedFrom = saved === undefined ? null : saved.state.step;
  if (saved) {
    trainer.restore(saved.state);
    progress = saved.progress;
  }
  if (lost) await tell({ type: "deviceLost", step: trainer.step, lost });
  if (saved) {
    await tell({ type: "resumed", step: trainer.step });
  } else if (evaluate?.atStart) {
    await evaluateNow(evaluate);
  }

  const from = trainer.step;
  const advise = adviser(trainer.network.head.prototypes);
  if (from < steps && !signal?.aborted) {
    for await (const crops of batches.steps({ from, to: steps })) {
      trainer.train(crops);
      const { step } = trainer;
      const epoch = Math.floor((step - 1) / batches.perEpoch);
      const ends = step % batches.perEpoch === 0;
      const finished = step === steps;
      const stops = signal?.aborted === true;
      const saves = step % saveEvery === 0 || finished || stops;
      const evaluates = evaluate !== undefined && (step % evaluate.every === 0 || finished);
      const numbered = numberedEvery > 0 && step % numberedEvery === 0;

      // Nothing is saved or evaluated whose loss has not been looked at.
      const reads = step % metricsEvery === 0 || ends || saves || evaluates || numbered;
      const metrics = reads ? await trainer.metrics() : undefined;
      if (metrics) progress = withMetrics(progress, metrics);
      await tell({ type: "step", step, epoch, ...(metrics && { metrics }), ...clock(step) });
      const advice = metrics && advise(metrics);
      if (advice) await tell({ type: "advice", step, message: advice });

      if (ends) {
        const means = epochMeans(progress);
        progress = { ...progress, ...emptyEpoch, lastEpochLoss: means.loss };
        await tell({ type: "epoch", epoch, ...means });
      }
      if (evaluates) await evaluateNow(evaluate);
      if (numbered) await save(`step${step}`);
      if (saves) await save("last");
      if (stops) break;
      await turn(); // steps are synchronous on some backends
      device.assertPresent(step);
    }
  }

  return {
    steps: trainer.step,
    stepsRun: trainer.step - from,
    resumedFrom,
    loss: progress.lastEpochLoss ?? epochMeans(progress).loss,
    imagesPerSecond: clock.mean(trainer.step - from),
    stopped: trainer.step < steps,
    evaluations: progress.evaluations,
  };
}

const { epochLoss, epochLearningRate, epochWeightDecay, epochSteps } = fresh;
const emptyEpoch = { epochLoss, epochLearningRate, epochWeightDecay, epochSteps };

function withMetrics(progress: Progress, metrics: Metrics): Progress {
  return {
    ...progress,
    epochLoss: progress.epochLoss + metrics.loss,
    epochLearningRate: progress.epochLearningRate + metrics.learningRate,
    epochWeightDecay: progress.epochWeightDecay + metrics.weightDecay,
    epochSteps: progress.epochSteps + 1,
  };
}

function epochMeans(progress: Progress) {
  const { epochSteps } = progress;
  return {
    loss: progress.epochLoss / epochSteps,
    learningRate: progress.epochLearningRate / epochSteps,
    weightDecay: progress.epochWeightDecay / epochSteps,
  };
}

/** How fast the run is: over the last steps for the console, over all of them for the result. */
function stopwatch(batches: Batches, steps: number) {
  const window = 20;
  const { batchSize } = batches;
  let paused = 0;
  let waitedBefore = batches.waited ?? 0;
  const now = () => tf.util.now() - paused;
  const times = [now()];
  const started = now();
  const lap = (step: number) => {
    times.push(now());
    if (times.length > window + 1) times.shift();
    const elapsed = ((times.at(-1) as number) - (times[0] as number)) / 1000;
    const perStep = elapsed / (times.length - 1);
    const waitedNow = batches.waited ?? 0;
    const dataWait = waitedNow - waitedBefore;
    waitedBefore = waitedNow;
    return { imagesPerSecond: batchSize / perStep, dataWait, eta: (steps - step) * perStep };
  };
  /** What `run` does, which is no training, off the clock. */
  const without = async <T>(run: () => Promise<T>): Promise<T> => {
    const before = tf.util.now();
    try {
      return await run();
    } finally {
      paused += tf.util.now() - before;
    }
  };
  const mean = (count: number) => {
    const seconds = ((times.at(-1) as number) - started) / 1000;
    return count > 0 ? (count * batchSize) / seconds : 0;
  };
  return Object.assign(lap, { mean, without });
}
