import { realpathSync } from "node:fs";
import type { Backbone } from "@dino/backbones";
import { DataError, type Dataset, type Progress } from "@dino/data";
import { type ImageFolder, imageFolder, labeledImages } from "@dino/data/node";
import { extractFeatures, type KnnResult, knn, knnLeaveOneOut } from "@dino/evaluation";
import type { Params } from "@dino/ops";

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
  const options = signal ? { signal } : {};
  const known = withClasses(await imageFolder(train, options));
  const isSame = test === undefined || realpathSync(train) === realpathSync(test);
  const asked = isSame ? undefined : sameClasses(await imageFolder(test, options), known);

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

/** Pictures beside the class folders have no class, and cannot be judged. */
function withClasses(folder: ImageFolder): ImageFolder {
  if (folder.classes.length === 0) {
    throw new DataError(
      folder.path,
      "expected pictures in one folder for each class, got a flat one",
    );
  }
  if (folder.label(0) < 0) {
    throw new DataError(
      folder.path,
      `expected every picture in a class folder, got ${folder.name(0)}`,
    );
  }
  return folder;
}

/** The pictures with the labels that `known` gives to classes of the same names. */
function sameClasses(folder: ImageFolder, known: ImageFolder): ImageFolder {
  withClasses(folder);
  const labels = folder.classes.map((name) => known.classes.indexOf(name));
  const stranger = folder.classes.find((_, label) => (labels[label] as number) < 0);
  if (stranger !== undefined) {
    throw new DataError(folder.path, `expected the classes of ${known.path}, got ${stranger}`);
  }
  return { ...folder, label: (index) => labels[folder.label(index)] as number };
}
