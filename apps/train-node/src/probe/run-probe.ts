import { randomResizedCrop } from "@dino/augmentations";
import { type ImageFolder, labeledLoader } from "@dino/data/node";
import { featureStream } from "@dino/evaluation";
import { noteBroken } from "../run/open-photos.ts";
import { type ProbeResult, type ProbeTask, plainFeatures, taskSettings } from "./probe-task.ts";
import { type TrainProbe, trainProbe } from "./train-probe.ts";

export interface ProbeFolders {
  readonly train: ImageFolder;
  readonly test: ImageFolder;
}

export interface ProbeOptions
  extends Pick<
    TrainProbe,
    "output" | "classes" | "learningRate" | "epochs" | "validateEvery" | "seed"
  > {}

/** The reference's protocol: pictures are cut and mirrored anew in every epoch. */
export async function runProbe(
  task: ProbeTask,
  { train, test }: ProbeFolders,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const { screen, model, extractor, size, batchSize, workers, signal } = task;
  const judged = await plainFeatures(task, test);
  const pictures = labeledLoader(train, {
    views: randomResizedCrop({ size }),
    batchSize,
    seed: options.seed,
    ...(workers !== undefined && { workers }),
  });
  try {
    const { classes, learningRate, epochs, seed } = options;
    return await trainProbe({
      ...options,
      screen,
      signal,
      features: featureStream(extractor, model.params, pictures),
      test: judged,
      settings: {
        ...(await taskSettings(task, train)),
        ...{ classes, learningRate, epochs, seed, augmented: true },
      },
    });
  } finally {
    await pictures.close();
    noteBroken("skipped", pictures.broken.slice(train.broken.length), screen);
  }
}
