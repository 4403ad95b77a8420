import type { Precision } from "@dino/backend";
import type { Duration } from "./duration.ts";

export type Arch =
  | "vit_tiny"
  | "vit_small"
  | "vit_base"
  | "deit_tiny"
  | "deit_small"
  | "deit_base"
  | "resnet18"
  | "resnet34"
  | "resnet50"
  | "resnet101";
export type OptimizerName = "adamw" | "sgd" | "lars";
export type Range = readonly [from: number, to: number];

/** Everything that a training run is told, named as the reference's command line names it. */
export interface Settings {
  // Model
  readonly arch: Arch;
  readonly patchSize: number;
  readonly embedDim: number | undefined;
  readonly depth: number | undefined;
  readonly numHeads: number | undefined;
  readonly dropPathRate: number;
  readonly outDim: number;
  readonly hiddenDim: number;
  readonly bottleneckDim: number;
  readonly normLastLayer: boolean;
  readonly useBnInHead: boolean;
  // Crops
  readonly globalCropsSize: number;
  readonly globalCropsScale: Range;
  readonly localCropsSize: number;
  readonly localCropsNumber: number;
  readonly localCropsScale: Range;
  readonly colorJitterProbability: number;
  readonly grayscaleProbability: number;
  readonly solarizeProbability: number;
  // Optimizer
  readonly optimizer: OptimizerName;
  readonly batchSizePerGpu: number;
  readonly clipGrad: number;
  readonly freezeLastLayer: Duration;
  // Schedule
  readonly epochs: Duration;
  readonly lr: number;
  readonly minLr: number;
  readonly warmupEpochs: Duration;
  readonly weightDecay: number;
  readonly weightDecayEnd: number;
  readonly momentumTeacher: number;
  readonly warmupTeacherTemp: number;
  readonly teacherTemp: number;
  readonly warmupTeacherTempEpochs: Duration;
  // Run
  readonly dataPath: string | undefined;
  readonly preset: string | undefined;
  readonly outputDir: string | undefined;
  readonly initWeights: string | undefined;
  readonly allowPartial: boolean;
  readonly interpolatePositions: boolean;
  readonly seed: number;
  readonly saveckpFreq: Duration;
  readonly saveEverySteps: number | undefined;
  readonly knnTrain: string | undefined;
  readonly knnTest: string | undefined;
  readonly knnEvery: Duration;
  // Machine
  readonly backend: string;
  readonly precision: Precision | "auto";
  readonly microBatch: number | undefined;
  readonly threads: number | undefined;
  readonly numWorkers: number | undefined;
  readonly augment: "threads" | "device";
  readonly maxBroken: number;
}

export type SettingName = keyof Settings;
/** Some of the settings; `undefined` is as good as absent. */
export type SomeSettings = { readonly [Name in SettingName]?: Settings[Name] | undefined };
