import type { DeviceLoss } from "./device-loss.ts";
import type { Metrics } from "./metrics.ts";
import type { TrainerState } from "./state.ts";

/** What an evaluation found: any plain data. The first number of `knn` decides which model is best. */
export interface Evaluation {
  readonly knn?: Readonly<Record<string, number>>;
  readonly [name: string]: unknown;
}

export interface EvaluationAt {
  readonly step: number;
  readonly result: Evaluation;
}

/** What happens in a run, as plain data. */
export type TrainEvent =
  | { readonly type: "resumed"; readonly step: number }
  | {
      readonly type: "deviceLost";
      /** Where the run goes on: the last checkpoint's step, or 0 where it begins anew. */
      readonly step: number;
      readonly lost: DeviceLoss;
    }
  | {
      readonly type: "step";
      /** From 1. */
      readonly step: number;
      readonly epoch: number;
      /** Absent at steps whose figures are not read. */
      readonly metrics?: Metrics;
      readonly imagesPerSecond: number;
      /** Seconds of this step spent waiting for data. */
      readonly dataWait: number;
      /** Seconds to the end of the run. */
      readonly eta: number;
    }
  | {
      readonly type: "epoch";
      /** The one that ended, from 0. */
      readonly epoch: number;
      /** Means over the epoch's steps. */
      readonly loss: number;
      readonly learningRate: number;
      readonly weightDecay: number;
    }
  | ({ readonly type: "evaluation" } & EvaluationAt)
  | { readonly type: "advice"; readonly step: number; readonly message: string }
  | { readonly type: "saved"; readonly step: number; readonly name: string };

/** What a run remembers besides the trainer's state. */
export interface Progress {
  /** Sums over the steps of the epoch under way whose figures were read. */
  readonly epochLoss: number;
  readonly epochLearningRate: number;
  readonly epochWeightDecay: number;
  readonly epochSteps: number;
  /** Mean loss of the last whole epoch. */
  readonly lastEpochLoss: number | null;
  /** The best k-NN so far, in percent. */
  readonly best: number | null;
  readonly evaluations: readonly EvaluationAt[];
}

export interface SavedRun {
  readonly state: TrainerState;
  readonly progress: Progress;
}

/** Where a run is kept. */
export interface RunStore {
  /** What was saved last, or nothing in a fresh run. */
  load(): Promise<SavedRun | undefined>;
  /** Saves under a name: `last`, `best`, or `step` and a number. The tensors stay the trainer's. */
  save(saved: SavedRun, name: string): Promise<void>;
  record(event: TrainEvent): void | Promise<void>;
}
