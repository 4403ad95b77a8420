import { multiCrop, type ViewPolicy } from "@dino/augmentations";
import type { LabeledImages, Loader } from "@dino/data";

/** Every augmentation of the default, in crops that are soon made. */
const views: ViewPolicy = multiCrop({ global: 12, local: 6, locals: 3 });

export const cropOptions = { views, batchSize: 4, seed: 5 } as const;

/** More than an epoch of the drawn pictures. */
export const cropSteps = 7;

/** Evaluation's view of them. */
export const lookOptions = { size: 8, batchSize: 4 } as const;

/** The values of every crop of every step, and the loader closed. */
export async function cropValues(batches: Loader): Promise<number[][][]> {
  const steps: number[][][] = [];
  for await (const crops of batches.steps({ to: cropSteps })) {
    steps.push(await Promise.all(crops.map(async (crop) => [...(await crop.data())])));
    for (const crop of crops) crop.dispose();
  }
  await batches.close();
  return steps;
}

/** The values and labels of every batch. */
export async function lookValues(batches: LabeledImages): Promise<(readonly number[])[]> {
  const all: (readonly number[])[] = [];
  for await (const { images, labels } of batches) {
    all.push([...images.dataSync()], [...labels]);
    images.dispose();
  }
  return all;
}
