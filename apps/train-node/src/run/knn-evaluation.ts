import type { EvaluationPlan, Trainer } from "@dino/trainer";
import type { Console } from "../console/console.ts";
import { count } from "../console/words.ts";
import type { KnnTask } from "../model/knn.ts";
import type { Settings } from "../settings/settings.ts";

export interface KnnEvaluation {
  readonly task: KnnTask;
  readonly trainer: Trainer;
  readonly settings: Settings;
  /** Steps between two evaluations. */
  readonly every: number;
  readonly screen: Console;
  readonly signal: AbortSignal;
}

/** The neighbours that a run reports. */
const neighbors = [10, 20];

/** k-NN before the first step and every so often. */
export function knnEvaluation(evaluation: KnnEvaluation): EvaluationPlan {
  const { task, trainer, settings, every, screen, signal } = evaluation;
  // Few pictures have few neighbours: as many as there are stand for more.
  const voters = neighbors.map((k) => Math.min(k, task.largestK));
  return {
    every,
    atStart: true,
    run: async ({ params }) => {
      const { top1 } = await task.run(trainer.network.backbone, params, {
        k: [...new Set(voters)],
        size: settings.globalCropsSize,
        workers: settings.numWorkers,
        maxBroken: settings.maxBroken,
        // Once steps are done, the signal means to finish this one, its evaluation included.
        ...(trainer.step === 0 && { signal }),
        onProgress: ({ done, total }) =>
          screen.draw(`k-NN: ${count(done)} of ${count(total)} pictures`),
      });
      const percents = neighbors.map((k, i) => [k, top1[String(voters[i])] as number] as const);
      return { knn: Object.fromEntries(percents) };
    },
  };
}
