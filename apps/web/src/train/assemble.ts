import { multiCrop, type ViewPolicy } from "@dino/augmentations";
import { dinoHead, dinoNetwork } from "@dino/backbones";
import { type VitArchitecture, vit } from "@dino/backbones/vit";
import { dinoLoss } from "@dino/loss";
import { adamW } from "@dino/optimizers";
import { constant, cosine, warmupCosine } from "@dino/schedulers";
import { createTrainer, ema, type Trainer } from "@dino/trainer";
import { models, prototypes, type TrainSettings } from "./settings.ts";

export function architectureOf({ model }: TrainSettings): VitArchitecture {
  const { embedDim, depth, heads, patchSize, global: imageSize } = models[model];
  return { embedDim, depth, heads, patchSize, imageSize };
}

/** Colours are left alone but in photographs: drawn things are often told by them, and runs are short. */
export function viewsOf({ set, model }: TrainSettings): ViewPolicy {
  const { global, local } = models[model];
  const sizes = { global, local, locals: 4 };
  if (set === "own") return multiCrop(sizes);
  return multiCrop({
    ...sizes,
    jitter: { probability: 0 },
    grey: 0,
    solarize: { first: 0, others: 0, locals: 0 },
  });
}

/** A run of DINO as the quick start has it, for as many steps as are asked for. */
export function trainerOf(settings: TrainSettings, memoryBytes: number | undefined): Trainer {
  const { steps, seed } = settings;
  const { rate, momentum, temperature } = models[settings.model];
  // Fewer steps of warm-up than this, and features are worse after training than before.
  const beginning = Math.min(30, Math.round(steps / 4));
  const backbone = vit(architectureOf(settings));
  const head = dinoHead({
    ...{ inputs: backbone.embedDim, prototypes, hidden: 256, bottleneck: 64 },
  });
  return createTrainer({
    network: dinoNetwork(backbone, head),
    loss: dinoLoss({ prototypes }),
    optimizer: adamW(),
    teacher: ema(cosine({ from: momentum, to: 1, steps })),
    learningRate: warmupCosine({
      peak: rate,
      end: 1e-6,
      steps,
      warmup: Math.max(beginning, Math.round(steps / 20)),
    }),
    weightDecay: cosine({ from: 0.04, to: 0.4, steps }),
    teacherTemperature: constant(temperature),
    clipNorm: 3,
    freezeLastLayer: beginning,
    seed,
    ...(memoryBytes !== undefined && { memoryBytes }),
  });
}
