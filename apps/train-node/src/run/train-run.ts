import { type ImageFolder, loader } from "@dino/data/node";
import { within } from "@dino/ops";
import {
  type DeviceLoss,
  surviveDeviceLoss,
  type Trainer,
  type TrainResult,
  train,
} from "@dino/trainer";
import type { RunDirectory } from "@dino/trainer/node";
import type { Console } from "../console/console.ts";
import { trainingView } from "../console/training.ts";
import { count } from "../console/words.ts";
import { architectureKey, architectureOf } from "../model/architecture.ts";
import { knnTask } from "../model/knn.ts";
import { checkLength } from "../settings/check.ts";
import { type RunLength, toSteps } from "../settings/duration.ts";
import type { Settings } from "../settings/settings.ts";
import { trainerOf, viewsOf } from "./assemble.ts";
import { beginWith } from "./begin-with.ts";
import { writeCurves } from "./curves.ts";
import { type Engine, startEngine } from "./engine.ts";
import { knnEvaluation } from "./knn-evaluation.ts";
import { noteBroken } from "./open-photos.ts";
import { runStore } from "./run-store.ts";

export interface TrainRun {
  readonly settings: Settings;
  readonly photos: ImageFolder;
  /** The folder of the run. */
  readonly path: string;
  readonly resumes: boolean;
  readonly engine: Engine;
  readonly screen: Console;
  readonly signal: AbortSignal;
}

type Loader = ReturnType<typeof loader>;

/** Trains to the end or to a signal. */
export async function trainRun(run: TrainRun): Promise<TrainResult> {
  const { settings, photos, screen, engine } = run;
  const batches = loader(photos, {
    views: viewsOf(settings),
    batchSize: settings.batchSizePerGpu,
    seed: settings.seed,
    maxBroken: settings.maxBroken,
    augment: settings.augment,
    ...(settings.numWorkers !== undefined && { workers: settings.numWorkers }),
  });
  try {
    const length = checkLength(settings, batches.perEpoch);
    return await surviveDeviceLoss({
      run: (lost) => trainOnDevice(run, batches, length, lost),
      restart: () => startEngine(engine.name, engine.precision, settings.threads),
      onLost: ({ step, reason }) => {
        const done = `${count(step)} steps`;
        screen.note(`the device was lost after ${done} (${reason}): starting another`);
      },
    });
  } finally {
    screen.settle();
    await batches.close();
    noteBroken("skipped", batches.broken.slice(photos.broken.length), screen);
  }
}

/** Trains to the end, to a signal, or until the device is lost that the tensors are on. */
async function trainOnDevice(
  run: TrainRun,
  batches: Loader,
  length: RunLength,
  lost: DeviceLoss | undefined,
): Promise<TrainResult> {
  const { settings, engine, screen, resumes } = run;
  const trainer = trainerOf(settings, length, engine.memoryBytes);
  try {
    if (!resumes && settings.initWeights)
      await beginWith(trainer, settings.initWeights, settings, screen);
    return await trainInFolder(run, { trainer, batches, length, lost });
  } finally {
    trainer.dispose();
  }
}

interface Parts {
  readonly trainer: Trainer;
  readonly batches: Loader;
  readonly length: RunLength;
  readonly lost: DeviceLoss | undefined;
}

/** An error before the first step leaves the run's folder as it was. */
async function trainInFolder(
  run: TrainRun,
  { trainer, batches, length, lost }: Parts,
): Promise<TrainResult> {
  const { settings, photos, path, engine, screen, signal } = run;
  const { knnTrain, knnTest, knnEvery } = settings;
  const task = knnTrain ? await knnTask({ train: knnTrain, test: knnTest }, signal) : undefined;
  const every = toSteps(knnEvery, length);
  const { steps, perEpoch: stepsPerEpoch } = length;
  const store = runStore(path, { settings, photos, stepsPerEpoch, engine });
  const log = (line: string) => store.note(line);
  try {
    const result = await train({
      trainer,
      batches,
      steps,
      store,
      signal,
      lost,
      saveEvery: settings.saveEverySteps ?? stepsPerEpoch,
      numberedEvery: toSteps(settings.saveckpFreq, length),
      metricsEvery: engine.metricsEvery,
      ...(task && {
        evaluate: knnEvaluation({ task, trainer, settings, every, screen, signal }),
      }),
      onEvent: trainingView(screen, { steps, prototypes: settings.outDim, log }),
    });
    if (result.steps === 0) store.discard();
    if (!result.stopped) await exportTeacher(store, trainer, settings);
    if (result.steps > 0) await writeCurves(path);
    return result;
  } catch (error) {
    log(String(error));
    store.discard();
    throw error;
  } finally {
    store.close();
  }
}

/** The backbone alone, for other programs. `pt` is how they call PyTorch's names and shapes. */
async function exportTeacher(
  store: RunDirectory,
  trainer: Trainer,
  settings: Settings,
): Promise<void> {
  await store.exportBackbone(within(trainer.teacher, "backbone."), {
    format: "pt",
    [architectureKey]: JSON.stringify(architectureOf(settings)),
  });
}
