import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { TrainEvent } from "../events.ts";
import { createEventFile, type EventFile } from "./event-file.ts";
import { appendJsonLines, cutJsonLines } from "./json-lines.ts";

/** The files that tell how a run goes, while they are being written. */
export interface Records {
  event(event: TrainEvent): void;
  note(line: string): void;
  close(): void;
}

export interface RecordsOptions {
  readonly prototypes: number;
  readonly resumedFrom?: number;
}

export function createRecords(path: string, { prototypes, resumedFrom }: RecordsOptions): Records {
  const metrics = appendJsonLines(join(path, "metrics.jsonl"));
  const epochs = appendJsonLines(join(path, "log.txt"));
  let board: EventFile | undefined;
  const scalars = (step: number, values: Readonly<Record<string, number>>) => {
    // Made when there is something to write: a finished run that is asked to go on gets none.
    board ??= createEventFile(path, resumedFrom);
    board.scalars(step, values);
  };
  const uniform = Math.log(prototypes);
  let lastStep = resumedFrom ?? 0;

  const recordStep = (event: Extract<TrainEvent, { type: "step" }>) => {
    lastStep = event.step;
    if (event.metrics === undefined) return;
    const { step, epoch, imagesPerSecond, dataWait } = event;
    const { step: _, loss, ...figures } = event.metrics;
    const relativeLoss = loss / uniform;
    metrics.write({ step, epoch, loss, relativeLoss, ...figures, imagesPerSecond, dataWait });
    scalars(step, {
      "train/loss": loss,
      "train/relative_loss": relativeLoss,
      "train/target_entropy": figures.targetEntropy,
      "train/divergence": figures.divergence,
      "train/gradient_norm": figures.gradientNorm,
      "schedule/learning_rate": figures.learningRate,
      "schedule/weight_decay": figures.weightDecay,
      "schedule/teacher_momentum": figures.teacherMomentum,
      "schedule/teacher_temperature": figures.teacherTemperature,
      "speed/images_per_second": imagesPerSecond,
      "speed/data_wait": dataWait,
    });
  };

  return {
    event: (event) => {
      if (event.type === "step") recordStep(event);
      if (event.type === "advice") metrics.write({ step: event.step, advice: event.message });
      if (event.type === "deviceLost") {
        metrics.write({ step: event.step, deviceLost: event.lost.reason });
      }
      if (event.type === "evaluation") {
        metrics.write({ step: event.step, ...event.result });
        const knn = Object.entries(event.result.knn ?? {});
        scalars(event.step, Object.fromEntries(knn.map(([k, percent]) => [`knn/${k}`, percent])));
      }
      if (event.type === "epoch") {
        const { epoch, loss, learningRate, weightDecay } = event;
        // The reference's names: other programs read this file.
        epochs.write({ train_loss: loss, train_lr: learningRate, train_wd: weightDecay, epoch });
        scalars(lastStep, { "epoch/loss": loss });
      }
    },
    note: (line) => {
      appendFileSync(join(path, "train.log"), `${new Date().toISOString()} ${line}\n`);
    },
    close: () => {
      metrics.close();
      epochs.close();
      board?.close();
    },
  };
}

/** Cuts the figures back to a step: what came later will be done again. */
export function cutRecords(
  path: string,
  { step, stepsPerEpoch }: { readonly step: number; readonly stepsPerEpoch: number },
): void {
  const epochs = Math.floor(step / stepsPerEpoch);
  cutJsonLines(join(path, "metrics.jsonl"), (line) => Number(line.step) <= step);
  cutJsonLines(join(path, "log.txt"), (line) => Number(line.epoch) < epochs);
}
