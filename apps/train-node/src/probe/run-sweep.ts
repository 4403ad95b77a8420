import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type FeatureSource,
  type LinearSnapshot,
  type Sweep,
  shuffledFeatures,
  sweepLearningRates,
} from "@dino/evaluation";
import { canonicalJson, makeFolder } from "@dino/trainer/node";
import { progressLine } from "../console/progress.ts";
import { count } from "../console/words.ts";
import { assertSame, type ProbeSettings, probeStore } from "./probe-store.ts";
import { type ProbeResult, type ProbeTask, plainFeatures, taskSettings } from "./probe-task.ts";
import type { ProbeFolders, ProbeOptions } from "./run-probe.ts";
import { trainProbe } from "./train-probe.ts";

export interface SweepTask extends Omit<ProbeOptions, "learningRate"> {
  /** Those that are tried, for this size of batches. */
  readonly learningRates: readonly number[];
  /** The share of the training pictures that decides. */
  readonly heldOut: number;
}

export interface SweptProbe extends ProbeResult {
  readonly sweep: Sweep;
}

/**
 * A probe on features that are made once, without augmentation: many learning rates at once, of
 * which a part of the training pictures decides, and then the best one on all of them.
 */
export async function runSweep(
  task: ProbeTask,
  { train, test }: ProbeFolders,
  { learningRates, heldOut, ...options }: SweepTask,
): Promise<SweptProbe> {
  const { batchSize, screen, signal } = task;
  const { classes, epochs, seed } = options;
  const features = await plainFeatures(task, train);
  const judged = await plainFeatures(task, test);
  const settings = {
    ...(await taskSettings(task, train)),
    ...{ classes, epochs, seed, augmented: false },
  };
  const sweep = await swept(task, features, { ...options, learningRates, heldOut, settings });
  for (const { learningRate, top1, loss } of sweep.rates) {
    const mark = learningRate === sweep.best ? "  best" : "";
    screen.note(
      `learning rate ${learningRate}: held-out top-1 ${top1.toFixed(2)} %, loss ${loss.toFixed(4)}${mark}`,
    );
  }
  const result = await trainProbe({
    ...options,
    ...{ screen, signal, test: judged, learningRate: sweep.best },
    features: shuffledFeatures(features, { batchSize, seed }),
    settings: { ...settings, learningRate: sweep.best },
  });
  return { ...result, sweep };
}

interface SweepWithSettings extends SweepTask {
  readonly settings: ProbeSettings;
}

/** The sweep, or what it came to before. */
async function swept(
  { screen, batchSize, signal }: ProbeTask,
  features: FeatureSource,
  { output, classes, epochs, seed, learningRates, heldOut, settings }: SweepWithSettings,
): Promise<Sweep> {
  const own = { ...settings, learningRates: learningRates.join(" "), heldOut };
  const path = join(output, "sweep.json");
  if (existsSync(path)) {
    const kept = JSON.parse(readFileSync(path, "utf8")) as Sweep & { settings: ProbeSettings };
    assertSame(path, own, canonicalJson(kept.settings));
    screen.note(`${path}: the learning rates were compared before`);
    // What is not finite is null there.
    const rates = kept.rates.map((rate) => ({ ...rate, loss: rate.loss ?? Number.NaN }));
    return { rates, best: kept.best };
  }
  makeFolder(output);
  const store = probeStore(output, "sweep", own);
  const from = await store.load();
  if (from) screen.note(`${store.path}: going on from step ${count(from.step)}`);
  const found = await sweepLearningRates(features, {
    ...{ classes, learningRates, batchSize, epochs, seed, heldOut, signal, from },
    save: (snapshot: LinearSnapshot) => store.save(snapshot),
    onProgress: progressLine(screen, `${learningRates.length} learning rates`, "steps"),
  });
  writeFileSync(`${path}.part`, `${JSON.stringify({ ...found, settings: own }, null, 2)}\n`);
  renameSync(`${path}.part`, path);
  return found;
}
