import { epochs } from "./duration.ts";
import type { SomeSettings } from "./settings.ts";

/** A published recipe: what it changes from the defaults, and what is known of it. */
export interface Preset {
  readonly about: string;
  readonly values: SomeSettings;
}

/** Both published ViT-B models and ViT-S/16 were trained on these crops. */
const releasedCrops: SomeSettings = {
  globalCropsScale: [0.25, 1],
  localCropsScale: [0.05, 0.25],
  localCropsNumber: 10,
};

const resnetCrops: SomeSettings = {
  globalCropsScale: [0.14, 1],
  localCropsScale: [0.05, 0.14],
};

const boosted: SomeSettings = {
  batchSizePerGpu: 1024,
  epochs: epochs(300),
  normLastLayer: false,
  teacherTemp: 0.07,
  warmupTeacherTempEpochs: epochs(30),
};

/**
 * The recipes of Caron et al. 2021 (arXiv 2104.14294), of facebookresearch/dino's README and of
 * its issues, by name. Batches are those of all GPUs together; what does not fit into memory at
 * once is computed in parts.
 */
export const presets: Readonly<Record<string, Preset>> = {
  "vit-small": {
    about: "ViT-S/16 for 100 epochs: k-NN 69.3, linear 74.0 on ImageNet",
    values: { arch: "vit_small", batchSizePerGpu: 512 },
  },
  "vit-small-boosted": {
    about: "ViT-S/16 for 300 epochs: k-NN 73.3, linear 76.0",
    values: { arch: "vit_small", ...boosted },
  },
  "vit-small-released": {
    about: "the published ViT-S/16, 800 epochs: k-NN 74.5, linear 77.0",
    values: {
      ...boosted,
      ...releasedCrops,
      arch: "vit_small",
      epochs: epochs(800),
      clipGrad: 0,
      minLr: 1e-5,
    },
  },
  "vit-small-two-crops": {
    about: "ViT-S/16 without local crops, 300 epochs (issue 122)",
    values: {
      arch: "vit_small",
      epochs: epochs(300),
      localCropsNumber: 0,
      globalCropsScale: [0.14, 1],
      clipGrad: 0,
      minLr: 1e-5,
    },
  },
  "vit-small-landmarks": {
    about: "ViT-S/16 for retrieval, on the clean Google Landmarks v2 (issue 156)",
    values: { arch: "vit_small", ...boosted },
  },
  "vit-base": {
    about: "ViT-B/16 as the README launches it, on two nodes of 8 GPUs",
    values: { arch: "vit_base", batchSizePerGpu: 1024 },
  },
  "vit-base-released": {
    about: "the published ViT-B/16, 400 epochs",
    values: {
      ...releasedCrops,
      arch: "vit_base",
      batchSizePerGpu: 1024,
      epochs: epochs(400),
      lr: 0.00075,
      minLr: 2e-6,
      clipGrad: 0.3,
      freezeLastLayer: epochs(3),
      teacherTemp: 0.07,
      warmupTeacherTempEpochs: epochs(50),
    },
  },
  "vit-base-8-released": {
    about: "the published ViT-B/8, 300 epochs",
    values: {
      ...releasedCrops,
      arch: "vit_base",
      patchSize: 8,
      batchSizePerGpu: 1056,
      epochs: epochs(300),
      minLr: 2e-6,
      freezeLastLayer: epochs(3),
      warmupTeacherTemp: 0.03,
      teacherTemp: 0.07,
      warmupTeacherTempEpochs: epochs(50),
    },
  },
  "small-batch": {
    about: "the defaults with a batch of 256 and the teacher's momentum for it",
    values: { batchSizePerGpu: 256, momentumTeacher: 0.9995 },
  },
  "resnet-50": {
    about: "ResNet-50 for 100 epochs with SGD, as the README launches it on 8 GPUs",
    values: {
      ...resnetCrops,
      arch: "resnet50",
      batchSizePerGpu: 512,
      optimizer: "sgd",
      lr: 0.03,
      weightDecay: 1e-4,
      weightDecayEnd: 1e-4,
    },
  },
  "resnet-50-released": {
    about: "the published ResNet-50, 800 epochs with LARS: k-NN 67.5, linear 75.3",
    values: {
      ...resnetCrops,
      arch: "resnet50",
      localCropsNumber: 6,
      batchSizePerGpu: 4080,
      epochs: epochs(800),
      optimizer: "lars",
      lr: 0.3,
      minLr: 0.0048,
      weightDecay: 1e-6,
      weightDecayEnd: 1e-6,
      clipGrad: 0,
      outDim: 60_000,
      useBnInHead: true,
      teacherTemp: 0.07,
      warmupTeacherTempEpochs: epochs(50),
    },
  },
};

/** Recipes whose backbones are not there yet. */
export const presetsToCome: Readonly<Record<string, string>> = {
  "xcit-small": "xcit_small_12_p16",
  "xcit-medium": "xcit_medium_24_p16",
};
