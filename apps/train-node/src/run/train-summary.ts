import type { TrainResult } from "@dino/trainer";
import { count, significant } from "../console/words.ts";
import type { Engine } from "./engine.ts";

export interface TrainSummary {
  /** What `--json` prints. */
  readonly document: object;
  /** The same for people, and what to do next. */
  readonly lines: readonly string[];
}

export function trainSummary(
  run: string,
  { name: backend, precision }: Engine,
  result: TrainResult,
): TrainSummary {
  const { steps, stepsRun, resumedFrom, imagesPerSecond, loss, evaluations, stopped } = result;
  const before = evaluations.find(({ step }) => step === 0)?.result.knn;
  const after = evaluations.findLast(({ step }) => step > 0)?.result.knn;
  const knn = evaluations.length > 0 ? { before: before ?? null, after: after ?? null } : undefined;
  const document = {
    run,
    steps,
    stepsRun,
    resumedFrom,
    backend,
    precision,
    imagesPerSecond,
    loss,
    ...(knn && { knn }),
  };

  const speed = `${significant(imagesPerSecond)} images/s`;
  const lines = [
    stepsRun > 0
      ? `${count(steps)} steps done, loss ${loss.toFixed(4)}, ${speed}`
      : `this run is finished: ${count(steps)} steps, loss ${loss.toFixed(4)}`,
    ...(before && after ? [`k-NN before and after: ${percent(before)}, ${percent(after)}`] : []),
    `run: ${run}`,
    ...next(run, stopped),
  ];
  return { document, lines };
}

function next(run: string, stopped: boolean): readonly string[] {
  if (stopped) return [`go on with: dino train --resume ${run}`];
  return [
    `model: ${run}/exported/backbone.safetensors`,
    `look at it: dino attention PICTURE --weights ${run} --out attention`,
  ];
}

function percent(knn: Readonly<Record<string, number>>): string {
  return `${Object.values(knn)[0]?.toFixed(2)} %`;
}
