import { type Duration, epochs, steps } from "./duration.ts";
import type { SomeSettings } from "./settings.ts";

/** What a machine can be asked for. */
export type Machine = "gpu" | "fast-cpu" | "slow-cpu";

interface Size {
  /** Model and crops that such a machine trains within hours. */
  readonly values: SomeSettings;
  readonly batch: number;
  /** Pictures to see in all, however few there are. */
  readonly pictures: number;
}

const sizes: Readonly<Record<Machine, Size>> = {
  gpu: { values: { arch: "vit_small", patchSize: 16 }, batch: 64, pictures: 10_000_000 },
  "fast-cpu": {
    values: {
      arch: "vit_tiny",
      patchSize: 8,
      globalCropsSize: 64,
      localCropsSize: 32,
      localCropsNumber: 6,
    },
    batch: 64,
    pictures: 200_000,
  },
  "slow-cpu": {
    values: {
      arch: "vit_tiny",
      embedDim: 96,
      depth: 6,
      numHeads: 3,
      patchSize: 8,
      globalCropsSize: 32,
      localCropsSize: 16,
      localCropsNumber: 4,
      hiddenDim: 256,
      bottleneckDim: 64,
      dropPathRate: 0,
      lr: 0.008,
    },
    batch: 32,
    pictures: 100_000,
  },
};

const fewEpochs = 10;
const manyEpochs = 400;
const small = 20_000;
const imageNet = 1_281_167;

/** Prototypes by number of pictures: more than a folder has kinds of pictures go to waste. */
const prototypes: readonly (readonly [pictures: number, prototypes: number])[] = [
  [20_000, 1024],
  [50_000, 2048],
  [100_000, 4096],
  [200_000, 16_384],
  [500_000, 32_768],
];

/**
 * Settings for a folder of one's own: model and crops by what the machine can do, the rest by the
 * number of pictures. Small data wants fewer prototypes, a sharper and more agile teacher, and
 * warm-ups that are a small part of the run.
 */
export function smallDataSettings(pictures: number, machine: Machine): SomeSettings {
  const size = sizes[machine];
  const batch = fittingBatch(size.batch, pictures);
  const perEpoch = Math.max(1, Math.floor(pictures / batch));
  const length = clamp(Math.round(size.pictures / pictures), fewEpochs, manyEpochs);
  const run = perEpoch * length;
  const atMost = (most: number, share: number): Duration =>
    steps(Math.min(most, Math.floor(share * run)));
  const teacherTemp = rounded(between(0.02, 0.07, pictures));
  return {
    ...size.values,
    batchSizePerGpu: batch,
    epochs: epochs(length),
    outDim: prototypes.find(([most]) => pictures <= most)?.[1] ?? 65_536,
    warmupTeacherTemp: Math.min(0.04, teacherTemp),
    teacherTemp,
    momentumTeacher: rounded(between(0.99, 0.996, pictures)),
    warmupTeacherTempEpochs: atMost(37_500, 0.3),
    warmupEpochs: atMost(12_500, 0.1),
    freezeLastLayer: atMost(1_250, 0.05),
  };
}

/** The preferred batch, or the largest power of two that a smaller folder fills. */
function fittingBatch(preferred: number, pictures: number): number {
  return Math.min(preferred, 2 ** Math.floor(Math.log2(pictures)));
}

/** `from` for a small folder, `to` for one as large as ImageNet, in a straight line between. */
function between(from: number, to: number, pictures: number): number {
  return from + (to - from) * clamp((pictures - small) / (imageNet - small), 0, 1);
}

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** Without the digits that nobody would type. */
const rounded = (x: number): number => Number(x.toFixed(5));
