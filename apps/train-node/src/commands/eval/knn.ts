import type { ImageFolder } from "@dino/data/node";
import { collectFeatures, type KnnResult, knn, knnLeaveOneOut } from "@dino/evaluation";
import type { Command } from "commander";
import { type Context, command } from "../../command.ts";
import { type Console, jsonLine } from "../../console/console.ts";
import { progressLine } from "../../console/progress.ts";
import { stoppable } from "../../console/stoppable.ts";
import { UsageError } from "../../errors.ts";
import {
  type CacheFlags,
  noteReused,
  openFeatureCache,
  withFeatureCache,
} from "../../features/cache-options.ts";
import { pictureFeatures } from "../../features/picture-features.ts";
import { knnTask } from "../../model/knn.ts";
import * as kinds from "../../settings/kinds.ts";
import {
  flagValue,
  integers,
  openModel,
  type WeightsFlags,
  withWeights,
} from "../weights-options.ts";

interface KnnFlags extends WeightsFlags, CacheFlags {
  readonly train: string;
  readonly test?: string;
  readonly k?: string;
  readonly temperature?: string;
  readonly imageSize?: string;
  readonly batchSizePerGpu?: string;
  readonly numWorkers?: string;
  readonly json?: boolean;
}

/** `dino eval knn` */
export function knnCommand(context: Context): Command {
  return withFeatureCache(
    withWeights(command("knn", "weighted k-nearest-neighbour classification of class folders")),
  )
    .requiredOption("--train <folder>", "class folders to find neighbours in")
    .option("--test <folder>", "class folders to classify (leave one out of --train)")
    .option("--k <n,n>", "numbers of neighbours (10,20,100,200, as far as there are pictures)")
    .option("--temperature <number>", "how fast a vote falls with distance (0.07)")
    .option("--image-size <n>", "side of the pictures after resizing and cropping (the model's)")
    .option("--batch-size-per-gpu <n>", "pictures at once (64)")
    .option("--num-workers <n>", "threads that read pictures (by cores)")
    .option("--json", 'print one line of JSON, {"top1":{"10":..},"top5":{..}}, in percent')
    .addHelpText(
      "after",
      "\nExample:\n  dino eval knn --weights runs/my-run --train photos/train --test photos/test --k 10,20",
    )
    .action((flags: KnnFlags) => evalKnn(context, flags));
}

const words = {
  stopping: "stopping",
  stopped: "stopped: the features that were made are kept, and the same command goes on from there",
};

async function evalKnn(context: Context, flags: KnnFlags): Promise<void> {
  const { screen } = context;
  const asked = flagValue("--k", flags.k, integers);
  const temperature = flagValue("--temperature", flags.temperature, kinds.number({ above: 0 }));
  const size = flagValue("--image-size", flags.imageSize, kinds.integer({ min: 1 }));
  const batchSize = flagValue(
    "--batch-size-per-gpu",
    flags.batchSizePerGpu,
    kinds.integer({ min: 1 }),
  );
  const workers = flagValue("--num-workers", flags.numWorkers, kinds.integer({ min: 0 }));
  const task = await knnTask({ train: flags.train, test: flags.test });
  const k = asked ?? usualK(task.largestK);
  const most = Math.max(...k);
  if (most > task.largestK) {
    throw new UsageError(
      `--k: expected at most ${task.largestK}, the pictures of ${flags.train} to choose from, got ${most}`,
    );
  }
  await stoppable(context, words, async (signal) => {
    const model = await openModel(context, flags);
    const { backbone, params } = model;
    const side = size ?? backbone.imageSize;
    assertPatches(side, backbone.patchSize);
    const cache = openFeatureCache(context, flags, model);
    const features = async (folder: ImageFolder) => {
      const found = await pictureFeatures(cache, folder, {
        ...{ extractor: backbone, params, kind: "output", size: side, batchSize, workers, signal },
        onProgress: progressLine(screen, `features of ${folder.path}`, "pictures"),
      });
      noteReused(screen, folder.path, found);
      return collectFeatures(found.features);
    };
    const train = await features(task.train);
    const options = { k, signal, ...(temperature !== undefined && { temperature }) };
    const { top1, top5 } = task.test
      ? await knn(train, await features(task.test), options)
      : await knnLeaveOneOut(train, options);
    show(screen, flags, { k, top1, top5 });
  });
}

function show(
  screen: Console,
  flags: KnnFlags,
  { k, top1, top5 }: Pick<KnnResult, "top1" | "top5"> & { readonly k: readonly number[] },
): void {
  if (flags.json) {
    screen.result(jsonLine({ top1, top5 }));
    return;
  }
  for (const each of k) {
    screen.result(
      `${each}-NN: top-1 ${top1[each]?.toFixed(2)} %, top-5 ${top5[each]?.toFixed(2)} %`,
    );
  }
}

/** The reference's numbers of neighbours, as far as there are pictures. */
function usualK(largest: number): readonly number[] {
  const fitting = [10, 20, 100, 200].filter((k) => k <= largest);
  return fitting.length > 0 ? fitting : [Math.max(1, largest)];
}

/** Throws a `UsageError` unless a square of this side holds a patch. */
export function assertPatches(size: number, patchSize: number): void {
  if (size % patchSize === 0) return;
  throw new UsageError(
    `--image-size: expected a multiple of the model's patch of ${patchSize}, got ${size}`,
  );
}
