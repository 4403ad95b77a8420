import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { openCheckpoint, writeSafetensors } from "@dino/checkpoint/node";
import { type ImageFolder, imageFolder, loader } from "@dino/data/node";
import { type Params, within } from "@dino/ops";
import { type Evaluation, type EvaluationPlan, type Trainer, type TrainResult, train } from "@dino/trainer";
import { type RunDirectory, runDirectory } from "@dino/trainer/node";
import * as tf from "@tensorflow/tfjs-core";
import type { Console } from "../console/console.ts";
import { trainingView } from "../console/training.ts";
import { count } from "../console/words.ts";
import { RunError } from "../errors.ts";
import { architectureKey, architectureOf } from "../model/architecture.ts";
import { type KnnTask, knnTask } from "../model/knn.ts";
import { loadModel } from "../model/weights.ts";
import { checkLength } from "../settings/check.ts";
import { type RunLength, toSteps } from "../settings/duration.ts";
import { configYaml, numberSettings } from "../settings/print.ts";
import type { Settings } from "../settings/settings.ts";
import { trainerOf, viewsOf } from "./assemble.ts";
import type { Engine } from "./engine.ts";
import { environmentJson } from "./environment.ts";
import { configName } from "./run-settings.ts";

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

/** The neighbours that a run reports. */
const neighbors = [10, 20];

/** Reads the folder's list of pictures, and tells of those that are none. */
export async function openPhotos(path: string, screen: Console, signal: AbortSignal): Promise<ImageFolder> {
  const photos = await imageFolder(path, {
    signal,
    onProgress: ({ done, total }) => screen.draw(`reading ${path}: ${count(done)} of ${count(total)}`),
  });
  screen.draw("");
  const kinds = photos.classes.length > 0 ? ` in ${count(photos.classes.length)} folders` : "";
  screen.note(`${path}: ${count(photos.length)} pictures${kinds}`);
  for (const { name, reason } of photos.broken.slice(0, 5)) screen.note(`left out: ${name} ${reason}`);
  if (photos.broken.length > 5) screen.note(`left out: ${count(photos.broken.length - 5)} more`);
  return photos;
}

/** Trains to the end or to a signal, in the run's folder, which an error before the first step leaves as it was. */
export async function trainRun(run: TrainRun): Promise<TrainResult> {
  const { settings, photos, screen, signal, engine, resumes } = run;
  const batches = loader(photos, {
    views: viewsOf(settings),
    batchSize: settings.batchSizePerGpu,
    seed: settings.seed,
    maxBroken: settings.maxBroken,
    ...(settings.numWorkers !== undefined && { workers: settings.numWorkers }),
  });
  const length = checkLength(settings, batches.perEpoch);
  const task = settings.knnTrain
    ? await knnTask({ train: settings.knnTrain, test: settings.knnTest }, signal)
    : undefined;
  const trainer = trainerOf(settings, length, engine.memoryBytes);
  const store = storeOf(run, length);
  const log = (line: string) => store.note(line);
  try {
    if (!resumes && settings.initWeights) await beginWith(trainer, settings.initWeights);
    const result = await train({
      trainer,
      batches,
      steps: length.steps,
      store,
      signal,
      saveEvery: settings.saveEverySteps ?? batches.perEpoch,
      numberedEvery: toSteps(settings.saveckpFreq, length),
      metricsEvery: engine.metricsEvery,
      ...(task && { evaluate: evaluation(task, trainer, run, length) }),
      onEvent: trainingView(screen, { steps: length.steps, prototypes: settings.outDim, log }),
    });
    if (!result.stopped) await exportTeacher(store, trainer, settings);
    screen.settle();
    return result;
  } catch (error) {
    screen.settle();
    log(String(error));
    store.discard();
    throw error;
  } finally {
    store.close();
    trainer.dispose();
    await batches.close();
    for (const { name, reason } of batches.broken.slice(0, 20)) screen.note(`skipped: ${name} ${reason}`);
  }
}

function storeOf({ settings, photos, path, engine }: TrainRun, { perEpoch }: RunLength): RunDirectory {
  const names = createHash("sha256");
  for (let i = 0; i < photos.length; i++) names.update(`${photos.name(i)}\n`);
  const config: Settings = { ...absolutePaths(settings), outputDir: resolve(path) };
  const files = { open: openCheckpoint, write: writeSafetensors };
  return runDirectory(path, files, {
    settings: {
      ...numberSettings(settings),
      [architectureKey]: { ...architectureOf(settings) },
      pictures: photos.length,
      pictureNames: names.digest("hex"),
    },
    stepsPerEpoch: perEpoch,
    prototypes: settings.outDim,
    texts: { [configName]: configYaml(config), "environment.json": environmentJson(engine) },
  });
}

/** A run must be found again from anywhere. */
function absolutePaths(settings: Settings): Settings {
  const made = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  const { dataPath, initWeights, knnTrain, knnTest } = settings;
  return {
    ...settings,
    dataPath: made(dataPath),
    initWeights: made(initWeights),
    knnTrain: made(knnTrain),
    knnTest: made(knnTest),
  };
}

function evaluation(
  task: KnnTask,
  trainer: Trainer,
  { settings, screen, signal }: TrainRun,
  length: RunLength,
): EvaluationPlan {
  // Few pictures have few neighbours: as many as there are stand for more.
  const voters = neighbors.map((k) => Math.min(k, task.largestK));
  return {
    every: toSteps(settings.knnEvery, length),
    atStart: true,
    run: async ({ params }): Promise<Evaluation> => {
      const { top1 } = await task.run(trainer.network.backbone, params, {
        k: [...new Set(voters)],
        size: settings.globalCropsSize,
        workers: settings.numWorkers,
        maxBroken: settings.maxBroken,
        // Once a run goes, the signal means to finish the step, its evaluation included.
        ...(trainer.step === 0 && { signal }),
        onProgress: ({ done, total }) => screen.draw(`k-NN: ${count(done)} of ${count(total)} pictures`),
      });
      return {
        knn: Object.fromEntries(neighbors.map((k, i) => [k, top1[String(voters[i])] as number])),
      };
    },
  };
}

/** Puts other weights in place of both networks' backbones. */
async function beginWith(trainer: Trainer, path: string): Promise<void> {
  const { backbone, params } = await loadModel(path);
  const shapes = trainer.network.backbone.parameterShapes;
  for (const [name, shape] of Object.entries(shapes)) {
    const given = backbone.parameterShapes[name]?.join(", ") ?? "none";
    if (given !== shape.join(", ")) {
      throw new RunError(`${path}: expected ${name} of shape [${shape.join(", ")}], got [${given}]`);
    }
  }
  const { student, teacher, ...rest } = trainer.state();
  const replaced = (old: Params): Params =>
    Object.fromEntries(
      Object.entries(old).map(([name, value]) => {
        const own = name.startsWith("backbone.") ? params[name.slice("backbone.".length)] : undefined;
        return [name, tf.clone(own ?? value)];
      }),
    );
  trainer.restore({
    ...copied(rest),
    student: replaced(student),
    teacher: replaced(teacher),
  });
  tf.dispose(params);
}

/** A tree with tensors of its own. */
function copied<T>(tree: T): T {
  if (tree instanceof tf.Tensor) return tf.clone(tree) as T;
  if (typeof tree !== "object" || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, copied(value)])) as T;
}

async function exportTeacher(store: RunDirectory, trainer: Trainer, settings: Settings): Promise<void> {
  await store.exportBackbone(within(trainer.teacher, "backbone."), {
    format: "dino-backbone",
    [architectureKey]: JSON.stringify(architectureOf(settings)),
  });
}
