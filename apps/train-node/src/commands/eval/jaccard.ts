import { readImage } from "@dino/data/node";
import { attentionJaccard } from "@dino/evaluation";
import { massMask } from "@dino/visualization";
import type { Command } from "commander";
import { type Context, command } from "../../command.ts";
import { jsonLine } from "../../console/console.ts";
import { count } from "../../console/words.ts";
import { RunError, UsageError } from "../../errors.ts";
import { classAttentionOf } from "../../model/class-attention-of.ts";
import { fitPicture, imageSize, resizePicture, shortestSide } from "../../model/image-size.ts";
import { type MaskPair, maskPairs } from "../../model/mask-pairs.ts";
import { readMask } from "../../model/read-mask.ts";
import * as kinds from "../../settings/kinds.ts";
import {
  flagValue,
  openVisionTransformer,
  type WeightsFlags,
  withWeights,
} from "../weights-options.ts";

interface JaccardFlags extends WeightsFlags {
  readonly images: string;
  readonly masks: string;
  readonly list?: string;
  readonly threshold?: string;
  readonly imageSize?: string;
  readonly block?: string;
  readonly ignore?: string;
  readonly json?: boolean;
}

/** `dino eval jaccard` */
export function jaccardCommand(context: Context): Command {
  return withWeights(command("jaccard", "attention masks against segmentation masks"))
    .requiredOption("--images <folder>", "pictures")
    .requiredOption("--masks <folder>", "their masks, NAME.png for each picture NAME")
    .option("--list <file>", "names of the pictures to take, one a line (all that have a mask)")
    .option("--threshold <number>", "share of a head's attention that its mask keeps (0.6)")
    .option("--image-size <n>", "length of the shorter side, or rows,columns, or original (480)")
    .option("--block <n>", "which block's attention, counted from 0 (the last)")
    .option("--ignore <label>", "pixels of this label do not count (255 where there are others)")
    .option("--json", 'print one line of JSON, {"best","mean","heads":[..],"pictures"}, in percent')
    .addHelpText(
      "after",
      `
The Jaccard index (intersection over union) of each head's mask with all that is not background,
mean over the pictures: of the best head of each picture, as in the paper (VOC12: 45.9 for ViT-S/16),
of the heads' mean attention, and of each head.

Example:
  dino eval jaccard --weights runs/my-run --images VOC2012/JPEGImages \\
    --masks VOC2012/SegmentationClass --list VOC2012/ImageSets/Segmentation/val.txt`,
    )
    .action((flags: JaccardFlags) => jaccard(context, flags));
}

async function jaccard(context: Context, flags: JaccardFlags): Promise<void> {
  const { screen } = context;
  const keep = flagValue("--threshold", flags.threshold, kinds.number({ above: 0, max: 1 })) ?? 0.6;
  const size = flagValue("--image-size", flags.imageSize, imageSize) ?? { shortSide: 480 };
  const asked = flagValue("--block", flags.block, kinds.integer({ min: 0 }));
  const ignore = flagValue("--ignore", flags.ignore, kinds.integer({ min: 0, max: 255 }));
  const pairs = await maskPairs(flags);
  const { backbone, params } = await openVisionTransformer(context, flags);
  const { patchSize, depth, heads } = backbone;
  const block = asked ?? depth - 1;
  if (block >= depth) {
    throw new UsageError(`--block: expected a number from 0 to ${depth - 1}, got ${block}`);
  }
  if ((shortestSide(size) ?? patchSize) < patchSize) {
    throw new UsageError(
      `--image-size: expected at least the model's patch of ${patchSize}, got ${flags.imageSize}`,
    );
  }

  /** The best head's index, the mean's, and each head's. */
  const measure = async ({ picture: file, mask }: MaskPair): Promise<readonly number[]> => {
    const whole = resizePicture(await readImage(file), size);
    const picture = fitPicture(whole, "original", patchSize);
    const truth = await readMask(mask, ignore);
    const attention = await classAttentionOf(picture, { backbone, params, block });
    const extent = { rows: whole.height / patchSize, columns: whole.width / patchSize };
    const { rows, columns } = attention;
    const masks = [attention.mean, ...attention.maps].map((map) => {
      return { rows, columns, extent, data: massMask(map, keep) };
    });
    const { each } = attentionJaccard(masks, truth, { ignore: truth.ignore });
    return [Math.max(...each.slice(1)), ...each];
  };

  const sums = new Array<number>(2 + heads).fill(0);
  for (const [i, pair] of pairs.entries()) {
    screen.draw(`jaccard: ${count(i)} of ${count(pairs.length)} pictures`);
    const found = await measure(pair).catch((cause: unknown) => {
      if (!(cause instanceof RangeError)) throw cause;
      throw new RunError(`${pair.picture}: ${cause.message}`, { cause });
    });
    found.forEach((value, at) => {
      sums[at] = (sums[at] as number) + value;
    });
  }
  const [best, mean, ...each] = sums.map((sum) => (100 * sum) / pairs.length) as [
    number,
    number,
    ...number[],
  ];
  if (flags.json) {
    screen.result(jsonLine({ best, mean, heads: each, pictures: pairs.length }));
    return;
  }
  screen.result(`best head of each picture: ${best.toFixed(2)} %`);
  screen.result(`mean of the heads: ${mean.toFixed(2)} %`);
  for (const [head, value] of each.entries()) screen.result(`head ${head}: ${value.toFixed(2)} %`);
}
