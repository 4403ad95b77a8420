import { multiCrop, type ViewPolicy } from "@dino/augmentations";
import { dinoHead, dinoNetwork, type Network } from "@dino/backbones";
import { dinoLoss } from "@dino/loss";
import { adamW, lars, sgd } from "@dino/optimizers";
import {
  chain,
  constant,
  cosine,
  linear,
  type Schedule,
  teacherTemperature,
  warmupCosine,
} from "@dino/schedulers";
import { createTrainer, ema, type Trainer, type TrainerOptions } from "@dino/trainer";
import { architectureOf, backboneOf } from "../model/architecture.ts";
import { type RunLength, toSteps } from "../settings/duration.ts";
import type { Settings } from "../settings/settings.ts";

/** The crops that settings ask for. */
export function viewsOf(settings: Settings): ViewPolicy {
  return multiCrop({
    global: settings.globalCropsSize,
    local: settings.localCropsSize,
    locals: settings.localCropsNumber,
    globalScale: settings.globalCropsScale,
    localScale: settings.localCropsScale,
    jitter: { probability: settings.colorJitterProbability },
    grey: settings.grayscaleProbability,
    solarize: { others: settings.solarizeProbability },
  });
}

/** Student and teacher are two of these. */
export function networkOf(settings: Settings): Network {
  const backbone = backboneOf(architectureOf(settings), settings.dropPathRate);
  const head = dinoHead({
    inputs: backbone.embedDim,
    prototypes: settings.outDim,
    hidden: settings.hiddenDim,
    bottleneck: settings.bottleneckDim,
    batchNorm: settings.useBnInHead,
    normLastLayer: settings.normLastLayer,
  });
  return dinoNetwork(backbone, head);
}

/** A trainer made of the parts that settings name. `memoryBytes` is what its backend may hold. */
export function trainerOf(
  settings: Settings,
  length: RunLength,
  memoryBytes: number | undefined,
): Trainer {
  const { steps } = length;
  const { lr, minLr, batchSizePerGpu, weightDecay, weightDecayEnd, momentumTeacher } = settings;
  const { microBatch } = settings;
  const parts: Omit<TrainerOptions, "loss" | "optimizer"> = {
    network: networkOf(settings),
    teacher: ema(cosine({ from: momentumTeacher, to: 1, steps })),
    learningRate: warmupCosine({
      peak: (lr * batchSizePerGpu) / 256,
      end: minLr,
      steps,
      warmup: toSteps(settings.warmupEpochs, length),
    }),
    weightDecay: cosine({ from: weightDecay, to: weightDecayEnd, steps }),
    teacherTemperature: temperatureOf(settings, length),
    clipNorm: settings.clipGrad,
    freezeLastLayer: toSteps(settings.freezeLastLayer, length),
    seed: settings.seed,
    ...(microBatch !== undefined && { microBatch }),
    ...(memoryBytes !== undefined && { memoryBytes }),
  };
  const loss = dinoLoss({ prototypes: settings.outDim });
  if (settings.optimizer === "sgd") return createTrainer({ ...parts, loss, optimizer: sgd() });
  if (settings.optimizer === "lars") return createTrainer({ ...parts, loss, optimizer: lars() });
  return createTrainer({ ...parts, loss, optimizer: adamW() });
}

/** By epochs as the reference has it, where the warm-up is told in whole epochs; else by steps. */
function temperatureOf(
  { warmupTeacherTemp: from, teacherTemp: to, warmupTeacherTempEpochs: warmup }: Settings,
  length: RunLength,
): Schedule {
  if (warmup.unit === "epochs" && Number.isInteger(warmup.amount)) {
    return teacherTemperature({
      from,
      to,
      warmupEpochs: warmup.amount,
      epochs: Math.ceil(length.steps / length.perEpoch),
      stepsPerEpoch: length.perEpoch,
    });
  }
  const steps = toSteps(warmup, length);
  return chain(linear({ from, to, steps }), steps, constant(to));
}
