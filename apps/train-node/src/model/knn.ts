import type { Backbone } from "@dino/backbones";
import type { Dataset, Progress } from "@dino/data";
import { type ImageFolder, labeledImages } from "@dino/data/node";
import { extractFeatures, type KnnResult, knn, knnLeaveOneOut } from "@dino/evaluation";
import type { Params } from "@dino/ops";
import { openClassFolders } from "./class-folders.ts";

export interface KnnFolders {
  readonly train: string;
  /** Without it, or the same as `train`, every picture is classified by all the others. */
  readonly test?: string | undefined;
}

export interface KnnOptions {
  readonly k: readonly number[];
  readonly temperature?: number;
  /** Rows and columns of the pictures. */
  readonly size: number;
  readonly batchSize?: number;
  readonly workers?: number | undefined;
  readonly maxBroken?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Class folders whose pictures are judged by k-NN: opened and checked once, evaluated often. */
export interface KnnTask {
  readonly train: ImageFolder;
  /** Nothing where every picture of `train` is classified by all the others. */
  readonly test: ImageFolder | undefined;
  /** The most neighbours that there are. */
  readonly largestK: number;
  run(backbone: Backbone, params: Params, options: KnnOptions): Promise<KnnResult>;
}

export async function knnTask({ train, test }: KnnFolders, signal?: AbortSignal): Promise<KnnTask> {
  const { train: known, test: asked } = await openClassFolders({ train, test }, signal);

  return {
    train: known,
    test: asked,
    largestK: asked ? known.length : known.length - 1,
    run: async (backbone, params, { k, temperature = 0.07, onProgress, ...reading }) => {
      const features = (dataset: Dataset, before: number) => {
        const { size, batchSize = 64, workers, maxBroken = 0.01, signal } = reading;
        const total = known.length + (asked?.length ?? 0);
        const images = labeledImages(dataset, {
          size,
          batchSize,
          maxBroken,
          ...(workers !== undefined && { workers }),
          signal,
        });
        return extractFeatures(backbone, params, images, {
          signal,
          onProgress: ({ done }) => onProgress?.({ done: before + done, total }),
        });
      };
      const trained = await features(known, 0);
      const { signal } = reading;
      if (!asked) return knnLeaveOneOut(trained, { k, temperature, signal });
      return knn(trained, await features(asked, known.length), { k, temperature, signal });
    },
  };
}
