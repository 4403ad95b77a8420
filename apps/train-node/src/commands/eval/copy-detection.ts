import { resize } from "@dino/augmentations";
import { type ImageFolder, imageFolder } from "@dino/data/node";
import {
  type CopyDetectionScores,
  copyDescriptor,
  copyDetection,
  type Features,
  joinFeatures,
  learnWhitening,
  whiten,
} from "@dino/evaluation";
import type { Command } from "commander";
import { type Context, command } from "../../command.ts";
import { type Console, jsonLine } from "../../console/console.ts";
import { stoppable } from "../../console/stoppable.ts";
import { count } from "../../console/words.ts";
import { type Copydays, copydays } from "../../copies/copydays.ts";
import { UsageError } from "../../errors.ts";
import { type CacheFlags, withFeatureCache } from "../../features/cache-options.ts";
import { featureReader } from "../../features/feature-reader.ts";
import type { PictureView } from "../../features/file-features.ts";
import * as kinds from "../../settings/kinds.ts";
import {
  flagValue,
  openVisionTransformer,
  type WeightsFlags,
  withWeights,
} from "../weights-options.ts";

interface CopyFlags extends WeightsFlags, CacheFlags {
  readonly dataPath: string;
  readonly distractorsPath?: string;
  readonly whiteningPath?: string;
  readonly centerWhitening?: boolean;
  readonly gemPower?: string;
  readonly imsize?: string;
  readonly batchSizePerGpu?: string;
  readonly json?: boolean;
}

/** `dino eval copy-detection` */
export function copyDetectionCommand(context: Context): Command {
  return withFeatureCache(
    withWeights(
      command("copy-detection", "find the originals of copies, on Copydays: mAP and µAP"),
    ),
  )
    .requiredOption(
      "--data-path <folder>",
      "Copydays: original, strong, jpegqual and crops are in it",
    )
    .option("--distractors-path <folder>", "other pictures among the originals (none)")
    .option("--whitening-path <folder>", "pictures to learn a whitening from (no whitening)")
    .option("--center-whitening", "take the whitening's second moments about the mean")
    .option("--gem-power <number>", "power of the mean of the patches (4)")
    .option("--imsize <n>", "rows and columns that pictures are resized to (320)")
    .option("--batch-size-per-gpu <n>", "pictures at once (16)")
    .option(
      "--json",
      'print one line of JSON, {"blocks":{"strong":{"map":..,"microAp":..},..}}, in percent',
    )
    .addHelpText(
      "after",
      `
Blocks of Copydays that are not there are left out. Every copy is looked for among the originals
and the distractors; the 20 pictures that are most alike count.

Example:
  dino eval copy-detection --weights dino_vitb8.pth --data-path copydays --distractors-path yfcc10k --whitening-path yfcc20k`,
    )
    .action((flags: CopyFlags) => evalCopyDetection(context, flags));
}

const words = {
  stopping: "stopping",
  stopped: "stopped: the features that were made are kept, and the same command goes on from there",
};

async function evalCopyDetection(context: Context, flags: CopyFlags): Promise<void> {
  const { screen } = context;
  const side = flagValue("--imsize", flags.imsize, kinds.integer({ min: 1 })) ?? 320;
  const power = flagValue("--gem-power", flags.gemPower, kinds.number({ above: 0 })) ?? 4;
  const batchSize =
    flagValue("--batch-size-per-gpu", flags.batchSizePerGpu, kinds.integer({ min: 1 })) ?? 16;
  const { distractorsPath, whiteningPath, centerWhitening: centered = false } = flags;
  if (centered && whiteningPath === undefined) {
    throw new UsageError("--center-whitening: expected --whitening-path with it, got none");
  }
  const data = copydays(flags.dataPath);
  const distractors =
    distractorsPath === undefined ? undefined : await imageFolder(distractorsPath);
  const others = whiteningPath === undefined ? undefined : await imageFolder(whiteningPath);
  describe(screen, data, distractors);

  await stoppable(context, words, async (signal) => {
    const model = await openVisionTransformer(context, flags);
    const smallest = model.backbone.patchSize;
    const extractor = copyDescriptor(model.backbone, { power });
    const kind = { tokens: "class and mean of patches", power };
    const features = featureReader(context, flags, model, {
      ...{ extractor, kind, smallest, batchSize, signal },
    });
    const view = squareView(side);

    const own = await features("original", data.originals, view);
    const parts = [own];
    if (distractors) parts.push(await features("distractors", distractors, view));
    let change = async (some: Features): Promise<Features> => some;
    if (others) {
      const known = await features("pictures for the whitening", others, view);
      noteWhitening(screen, known);
      const whitening = await learnWhitening(known, { centered, signal });
      change = (some) => whiten(some, whitening, { signal });
    }
    const database = await change(joinFeatures(parts));
    const scores = new Map<string, CopyDetectionScores>();
    for (const { name, pictures, originals } of data.blocks) {
      const some = name === "original" ? own : await features(name, pictures, view);
      const queries = await change(some);
      scores.set(name, await copyDetection(queries, database, originals, { signal }));
    }
    show(screen, flags, scores);
  });
}

/** A picture in a square, whatever its proportions were. */
function squareView(side: number): PictureView {
  const size = { width: side, height: side } as const;
  return { name: { square: side }, apply: (picture) => resize(picture, size) };
}

function describe(
  screen: Console,
  { originals, absent }: Copydays,
  distractors: ImageFolder | undefined,
): void {
  screen.note(
    `${count(originals.length)} originals, ${count(distractors?.length ?? 0)} distractors`,
  );
  if (absent.length > 0) screen.note(`not there, and left out: ${absent.join(", ")}`);
}

function noteWhitening(screen: Console, known: Features): void {
  screen.note(`learning a whitening of ${known.dim} values from ${count(known.count)} pictures`);
  if (known.count >= known.dim) return;
  screen.note("which are less than there are values: the whitening will be a poor one");
}

function show(
  screen: Console,
  { json }: CopyFlags,
  scores: ReadonlyMap<string, CopyDetectionScores>,
): void {
  if (json) {
    const blocks = [...scores].map(
      ([name, { meanAveragePrecision: map, microAveragePrecision: microAp }]) => {
        return [name, { map, microAp }] as const;
      },
    );
    screen.result(jsonLine({ blocks: Object.fromEntries(blocks) }));
    return;
  }
  for (const [name, { meanAveragePrecision, microAveragePrecision }] of scores) {
    const figures = `mAP ${meanAveragePrecision.toFixed(1)}, µAP ${microAveragePrecision.toFixed(1)} %`;
    screen.result(`${name}: ${figures}`);
  }
}
