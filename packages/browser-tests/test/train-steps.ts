import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { startBackend } from "@dino/backend";
import { dinoLoss } from "@dino/loss";
import { imageTensor } from "@dino/ops";
import { adamW } from "@dino/optimizers";
import { createTrainer, ema } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";

export interface Trained {
  readonly line: string;
  readonly losses: readonly number[];
  /** How many there are behind the first step, and behind the last one. */
  readonly tensors: readonly [first: number, last: number];
}

/** Trains a small network on wasm, large enough for its threads to share most of the work. */
export async function trainSteps({
  steps,
  threads,
}: {
  readonly steps: number;
  readonly threads: number;
}): Promise<Trained> {
  const line = await startBackend("wasm", { threads });
  const backbone = vit({ embedDim: 48, depth: 2, heads: 3, patchSize: 8, imageSize: 32 });
  const head = dinoHead({ inputs: 48, prototypes: 256, hidden: 64, bottleneck: 32 });
  const trainer = createTrainer({
    network: dinoNetwork(backbone, head),
    loss: dinoLoss({ prototypes: 256 }),
    optimizer: adamW(),
    teacher: ema(() => 0.99),
    learningRate: () => 1e-3,
    weightDecay: () => 0.04,
    teacherTemperature: () => 0.04,
    clipNorm: 3,
    seed: 0,
  });
  const crops = [
    { views: 2, side: 32 },
    { views: 4, side: 16 },
  ].map(({ views, side }, group) => {
    const bytes = Uint8Array.from({ length: 3 * views * 16 * side * side }, (_, i) =>
      Math.round(127 + 127 * Math.sin(i * (1.3 + group))),
    );
    return imageTensor(bytes, [views * 16, side, side]);
  });
  const losses: number[] = [];
  const tensors: number[] = [];
  for (let step = 0; step < steps; step++) {
    trainer.train(crops.map((crop) => tf.clone(crop)));
    losses.push((await trainer.metrics()).loss);
    tensors.push(tf.memory().numTensors);
  }
  tf.dispose(crops);
  return { line, losses, tensors: [tensors[0] ?? 0, tensors.at(-1) ?? 0] };
}
