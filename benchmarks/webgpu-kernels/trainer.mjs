import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { dinoLoss } from "@dino/loss";
import { imageTensor } from "@dino/ops";
import { adamW } from "@dino/optimizers";
import { createTrainer, ema } from "@dino/trainer";

/** A trainer of a Vision Transformer on two large and six small crops, and a batch of them. */
export function smallTrainer({ arch, patch, global, local, batch, prototypes }) {
  const backbone = vit(arch, { patchSize: patch, imageSize: global });
  const head = dinoHead({ inputs: backbone.embedDim, prototypes, hidden: 512, bottleneck: 128 });
  const trainer = createTrainer({
    network: dinoNetwork(backbone, head),
    loss: dinoLoss({ prototypes }),
    optimizer: adamW(),
    teacher: ema(() => 0.996),
    learningRate: () => 1e-4,
    weightDecay: () => 0.04,
    teacherTemperature: () => 0.04,
    clipNorm: 3,
    freezeLastLayer: 0,
    seed: 0,
  });
  const views = [
    [2 * batch, global],
    [6 * batch, local],
  ];
  const crops = () =>
    views.map(([pictures, size]) => {
      const bytes = Uint8Array.from(
        { length: 3 * pictures * size * size },
        (_, i) => (i * 97) % 256,
      );
      return imageTensor(bytes, [pictures, size, size]);
    });
  return { trainer, crops };
}
