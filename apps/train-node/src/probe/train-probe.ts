import { join } from "node:path";
import {
  evaluateLinear,
  type FeatureSource,
  type FeatureStream,
  type LinearEpoch,
  linearProbe,
  probeRandom,
  trainLinear,
} from "@dino/evaluation";
import { makeFolder } from "@dino/trainer/node";
import * as tf from "@tensorflow/tfjs-core";
import type { Console } from "../console/console.ts";
import { progressLine } from "../console/progress.ts";
import { count, significant } from "../console/words.ts";
import { writeClassifier, writePytorchClassifier } from "./classifier-file.ts";
import { probeLog } from "./probe-log.ts";
import { type ProbeSettings, probeStore } from "./probe-store.ts";
import type { ProbeResult } from "./probe-task.ts";

export interface TrainProbe {
  readonly screen: Console;
  /** The folder of the checkpoint, the log and the classifier. */
  readonly output: string;
  readonly features: FeatureStream;
  readonly test: FeatureSource;
  readonly classes: number;
  /** Of the first epoch, for this size of batches. */
  readonly learningRate: number;
  readonly epochs: number;
  readonly validateEvery: number;
  readonly seed: number;
  /** All that the numbers depend on. */
  readonly settings: ProbeSettings;
  readonly signal: AbortSignal;
}

/** Trains one classifier to the end, from where it was left, and writes it. */
export async function trainProbe(task: TrainProbe): Promise<ProbeResult> {
  const { screen, output, features, test, classes, learningRate, epochs, seed, signal } = task;
  makeFolder(output);
  const probe = linearProbe({ dim: test.dim, classes });
  const store = probeStore(output, "checkpoint", task.settings);
  const kept = await store.load();
  if (kept) {
    const total = epochs * features.perEpoch;
    screen.note(
      kept.step === total
        ? `${store.path}: this probe was trained to its end before`
        : `${store.path}: going on from step ${count(kept.step)} of ${count(total)}`,
    );
  }
  const log = probeLog(output, kept?.epoch ?? 0);
  const { state, bestTop1, epoch } = await trainLinear({
    ...{ probe, features, epochs, signal, save: store.save },
    learningRates: [learningRate],
    from: kept ?? probe.init(probeRandom(seed)),
    validation: test,
    validateEvery: task.validateEvery,
    onProgress: progressLine(screen, "linear probe", "steps"),
    onEpoch: (report) => {
      log.add(report);
      screen.note(described(report));
    },
  });
  try {
    const [figures] = await evaluateLinear(probe, state, test, { signal });
    const classifier = await probe.classifier(state);
    const [best = 0] = bestTop1;
    await writeClassifier(join(output, "classifier.safetensors"), classifier, {
      epoch: String(epoch),
    });
    const file = join(output, "classifier.pth");
    await writePytorchClassifier(file, classifier, { epoch, bestTop1: best });
    if (!figures) throw new Error("expected the figures of one classifier, got none");
    return { figures, answers: test.labels, bestTop1: best, learningRate, epochs };
  } finally {
    tf.dispose(state);
  }
}

function described({ epoch, losses, learningRates, validation, bestTop1 }: LinearEpoch): string {
  const [loss = 0] = losses;
  const [rate = 0] = learningRates;
  const [figures] = validation ?? [];
  const judged = figures
    ? `, top-1 ${figures.top1.toFixed(2)} % (best ${bestTop1[0]?.toFixed(2)} %)`
    : "";
  return `epoch ${epoch + 1}: loss ${loss.toFixed(4)}, learning rate ${significant(rate)}${judged}`;
}
