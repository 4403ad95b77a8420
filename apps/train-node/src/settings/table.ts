import { epochs, percent } from "./duration.ts";
import * as kinds from "./kinds.ts";
import type { Arch, SettingName, Settings } from "./settings.ts";

export type Group = "Model" | "Crops" | "Optimizer" | "Schedule" | "Run" | "Machine";

export interface Definition<T> {
  readonly group: Group;
  readonly kind: kinds.Kind<T>;
  readonly default: T;
  readonly help: string;
  /** Whether another value gives another model. */
  readonly numbers: boolean;
}

type Table = { readonly [Name in SettingName]: Definition<Settings[Name]> };

const { areaRange, boolean, choice, duration, integer, number, optional, path, precision, text } =
  kinds;

/** The reference fixes the student's temperature at this. */
export const studentTemperature = 0.1;
const sharper = number({ above: 0, below: studentTemperature, why: "the student's temperature" });
const side = integer({ min: 1, max: 4096 });
const width = integer({ min: 1, max: 1 << 24 });

const share = number({ min: 0, max: 1 });

/**
 * Every setting of `dino train`, with the names and defaults of the reference
 * (facebookresearch/dino, main_dino.py) where it has them.
 */
export const table: Table = {
  arch: model(
    choice([
      ...["vit_tiny", "vit_small", "vit_base", "deit_tiny", "deit_small", "deit_base"],
      ...["resnet18", "resnet34", "resnet50", "resnet101"],
    ] as Arch[]),
    "vit_small",
    "backbone; deit_* are the same as vit_*",
  ),
  patchSize: model(side, 16, "side of a ViT's patch in pixels: smaller is better and slower"),
  embedDim: model(optional(width, "the arch's"), undefined, "width of a ViT"),
  depth: model(
    optional(integer({ min: 1, max: 256 }), "the arch's"),
    undefined,
    "number of its blocks",
  ),
  numHeads: model(
    optional(integer({ min: 1, max: 256 }), "the arch's"),
    undefined,
    "its attention heads",
  ),
  dropPathRate: model(
    number({ min: 0, below: 1 }),
    0.1,
    "stochastic depth of the student; 0 with a ResNet, which has none",
  ),
  outDim: model(width, 65536, "prototypes K, the width of the head's output"),
  hiddenDim: model(width, 2048, "width of the head's hidden layers"),
  bottleneckDim: model(width, 256, "width of the head's bottleneck"),
  normLastLayer: model(
    boolean,
    true,
    "keep the last layer's gains at 1; false is better but less stable",
  ),
  useBnInHead: model(boolean, false, "batch normalisation inside the head"),

  globalCropsSize: crops(side, 224, "side of the 2 global crops in pixels"),
  globalCropsScale: crops(areaRange, [0.4, 1], "their share of the picture's area"),
  localCropsSize: crops(side, 96, "side of the local crops in pixels"),
  localCropsNumber: crops(
    integer({ min: 0, max: 64 }),
    8,
    "how many; 0 is DINO without multi-crop",
  ),
  localCropsScale: crops(areaRange, [0.05, 0.4], "their share of the picture's area"),
  colorJitterProbability: crops(share, 0.8, "how often a crop's colours are changed"),
  grayscaleProbability: crops(share, 0.2, "how often they are taken away"),
  solarizeProbability: crops(share, 0.2, "how often the second global crop is solarized"),

  optimizer: optimizer(choice(["adamw", "sgd", "lars"]), "adamw", "what updates the student"),
  batchSizePerGpu: optimizer(integer({ min: 1, max: 1 << 20 }), 64, "pictures of a step"),
  clipGrad: optimizer(number({ min: 0 }), 3, "longest gradient of a parameter; 0 for no limit"),
  freezeLastLayer: optimizer(duration(), epochs(1), "how long the last layer is left as it is"),

  epochs: schedule(duration({ percent: false, above: 0 }), epochs(100), "length of the run"),
  lr: schedule(
    number({ above: 0 }),
    0.0005,
    "peak learning rate for a batch of 256; scaled with the batch",
  ),
  minLr: schedule(number({ min: 0 }), 1e-6, "learning rate at the end; not scaled"),
  warmupEpochs: schedule(duration(), epochs(10), "how long the learning rate rises from 0"),
  weightDecay: schedule(number({ min: 0 }), 0.04, "weight decay at the start"),
  weightDecayEnd: schedule(number({ min: 0 }), 0.4, "weight decay at the end"),
  momentumTeacher: schedule(
    number({ min: 0, max: 1 }),
    0.996,
    "teacher's momentum at the start; 1 at the end",
  ),
  warmupTeacherTemp: schedule(sharper, 0.04, "teacher's temperature at the start of its warm-up"),
  teacherTemp: schedule(sharper, 0.04, "teacher's temperature after it; above 0.07 is unstable"),
  warmupTeacherTempEpochs: schedule(duration(), epochs(0), "how long that warm-up lasts"),

  dataPath: run(optional(path, "FOLDER"), undefined, "folder of pictures, the same as FOLDER"),
  preset: run(optional(text, "none"), undefined, "settings by name; dino train --help lists them"),
  outputDir: run(optional(path, "runs/<date>-<arch>-<seed>"), undefined, "folder of the run"),
  initWeights: run(
    optional(path, "random"),
    undefined,
    "begin student and teacher with the backbone of this file, folder, run or published name",
  ),
  allowPartial: run(
    boolean,
    false,
    "leave what --init-weights lacks as it is, ignore what is too much",
  ),
  interpolatePositions: run(
    boolean,
    false,
    "bring the positions of --init-weights to the size of the global crops",
  ),
  seed: run(integer({ min: 0 }), 0, "same seed, same run on the same backend", true),
  saveckpFreq: run(duration(), epochs(20), "how often a numbered checkpoint is kept; 0 for never"),
  saveEverySteps: run(
    optional(integer({ min: 1 }), "every epoch"),
    undefined,
    "steps between savings of the state to go on from",
  ),
  knnTrain: run(optional(path, "none"), undefined, "class folders to find neighbours in, for k-NN"),
  knnTest: run(optional(path, "leave one out"), undefined, "class folders to classify, for k-NN"),
  knnEvery: run(duration({ above: 0 }), percent(10), "how often k-NN is measured"),

  backend: machine(text, "auto", "engine: auto, native, tensorflow, webgpu, wasm, cpu"),
  precision: machine(
    precision,
    "fp32",
    "how the engine computes: fp32, bf16 or f16 (where it has it), auto",
  ),
  microBatch: machine(
    optional(integer({ min: 1 }), "what fits"),
    undefined,
    "pictures differentiated at once; the batch stays whole",
  ),
  threads: machine(
    optional(integer({ min: 1, max: 1024 }), "by cores"),
    undefined,
    "threads that compute, on native and wasm; results do not depend on them",
  ),
  numWorkers: machine(
    optional(integer({ min: 0, max: 256 }), "by cores"),
    undefined,
    "threads that make crops",
  ),
  augment: machine(
    choice(["threads", "device"]),
    "threads",
    "where crops are made: in threads, or by the engine (webgpu), of pictures uploaded once",
  ),
  maxBroken: machine(number({ min: 0, max: 1 }), 0.01, "share of pictures that may be unreadable"),
};

export const settingNames: readonly SettingName[] = Object.keys(table) as SettingName[];

/** `warmupEpochs` as a flag: `warmup-epochs`. */
export function flagOf(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The setting that a flag, an environment variable's end or a file's key means, in any spelling. */
export function settingOf(spelling: string): SettingName | undefined {
  const flag = spelling.toLowerCase().replaceAll("_", "-");
  return settingNames.find((name) => flagOf(name) === flag || name === spelling);
}

function model<T>(kind: kinds.Kind<T>, value: T, help: string): Definition<T> {
  return { group: "Model", kind, default: value, help, numbers: true };
}

function crops<T>(kind: kinds.Kind<T>, value: T, help: string): Definition<T> {
  return { group: "Crops", kind, default: value, help, numbers: true };
}

function optimizer<T>(kind: kinds.Kind<T>, value: T, help: string): Definition<T> {
  return { group: "Optimizer", kind, default: value, help, numbers: true };
}

function schedule<T>(kind: kinds.Kind<T>, value: T, help: string): Definition<T> {
  return { group: "Schedule", kind, default: value, help, numbers: true };
}

function run<T>(kind: kinds.Kind<T>, value: T, help: string, numbers = false): Definition<T> {
  return { group: "Run", kind, default: value, help, numbers };
}

function machine<T>(kind: kinds.Kind<T>, value: T, help: string): Definition<T> {
  return { group: "Machine", kind, default: value, help, numbers: false };
}
