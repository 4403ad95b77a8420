import { basename, extname } from "node:path";
import { readImage } from "@dino/data/node";
import { toTensor } from "@dino/visualization";
import { tidy } from "@tensorflow/tfjs-core";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { count } from "../console/words.ts";
import { UsageError } from "../errors.ts";
import { attentionPictures } from "../model/attention-pictures.ts";
import { pictureFiles, uniqueNames } from "../model/picture-files.ts";
import { writePictures } from "../model/write-pictures.ts";
import * as kinds from "../settings/kinds.ts";
import { flagValue, openModel, type WeightsFlags, withWeights } from "./weights-options.ts";

interface AttentionFlags extends WeightsFlags {
  readonly out: string;
  readonly imageSize?: string;
  readonly threshold?: string;
  readonly block?: string;
  readonly json?: boolean;
}

export function attentionCommand(context: Context): Command {
  return withWeights(command("attention", "what a model looks at in pictures"))
    .argument("<PICTURE...>", "picture files, or folders of them")
    .option("--out <folder>", "where the files go (attention)", "attention")
    .option("--image-size <n>", "length of the shorter side, cut to whole patches (480)")
    .option("--threshold <number>", "share of a head's attention that masks and colours keep (0.6)")
    .option("--block <n>", "which block's attention, counted from 0 (the last)")
    .option("--json", 'print one line of JSON, {"pictures":[..]}')
    .addHelpText(
      "after",
      `
For each picture NAME it writes NAME-head0.png and so on, NAME-mean.png, NAME-mask.png (the mean's
strongest patches), NAME-heads.png (the heads in colours) and NAME-sheet.png (all of them).

Example:
  dino attention cat.jpg --weights runs/my-run --out attention`,
    )
    .action((paths: readonly string[], flags: AttentionFlags) => attention(context, paths, flags));
}

async function attention(
  context: Context,
  paths: readonly string[],
  flags: AttentionFlags,
): Promise<void> {
  const { screen } = context;
  const shortSide = flagValue("--image-size", flags.imageSize, kinds.integer({ min: 1 })) ?? 480;
  const keep = flagValue("--threshold", flags.threshold, kinds.number({ above: 0, max: 1 })) ?? 0.6;
  const block = flagValue("--block", flags.block, kinds.integer({ min: 0 }));
  const files = await pictureFiles(paths);
  const { backbone, params } = await openModel(context, flags);
  const { patchSize, depth } = backbone;
  if (block !== undefined && block >= depth) {
    throw new UsageError(`--block: expected a number from 0 to ${depth - 1}, got ${block}`);
  }
  if (shortSide < patchSize) {
    throw new UsageError(
      `--image-size: expected at least the model's patch of ${patchSize}, got ${shortSide}`,
    );
  }

  const names = uniqueNames(files.map((file) => basename(file, extname(file))));
  const written: string[] = [];
  for (const [i, file] of files.entries()) {
    screen.draw(`attention: ${count(i)} of ${count(files.length)} pictures`);
    const picture = await readImage(file, { shortSide, multipleOf: patchSize });
    const weights = tidy(() => {
      const options = block === undefined ? {} : { block };
      return backbone.selfAttention(params, toTensor(picture), options);
    });
    const pictures = await attentionPictures(weights, picture, { patchSize, keep });
    weights.dispose();
    written.push(...(await writePictures(flags.out, names[i] as string, pictures)));
  }
  if (flags.json) screen.result(jsonLine({ pictures: written }));
  else for (const file of written) screen.result(file);
}
