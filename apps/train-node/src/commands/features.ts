import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeNpy } from "@dino/checkpoint";
import { imageFolder, labeledImages } from "@dino/data/node";
import { extractFeatures } from "@dino/evaluation";
import { makeFolder } from "@dino/trainer/node";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { count } from "../console/words.ts";
import { assertPatches } from "../model/assert-patches.ts";
import { featuresCsv, namesCsv } from "../model/features-csv.ts";
import * as kinds from "../settings/kinds.ts";
import { flagValue, openModel, type WeightsFlags, withWeights } from "./weights-options.ts";

interface FeaturesFlags extends WeightsFlags {
  readonly out: string;
  readonly format?: string;
  readonly imageSize?: string;
  readonly json?: boolean;
}

export function featuresCommand(context: Context): Command {
  return withWeights(command("features", "write the features of every picture of a folder"))
    .argument("<FOLDER>", "pictures, in any folders below it")
    .option("--out <folder>", "where the files go (features)", "features")
    .option("--format <name>", "npy, csv or both (both)")
    .option("--image-size <n>", "side of the pictures after resizing and cropping (the model's)")
    .option("--json", "print one line of JSON that names the files")
    .addHelpText(
      "after",
      `
Writes features.npy (float32, one row a picture), labels.npy (int32, -1 without a class) and
pictures.csv (row, file, class), and features.csv (file, class, values).

Example:
  dino features photos --weights runs/my-run --out features`,
    )
    .action((folder: string, flags: FeaturesFlags) => features(context, folder, flags));
}

async function features(context: Context, path: string, flags: FeaturesFlags): Promise<void> {
  const { screen } = context;
  const format =
    flagValue("--format", flags.format, kinds.choice(["npy", "csv", "both"])) ?? "both";
  const asked = flagValue("--image-size", flags.imageSize, kinds.integer({ min: 1 }));
  const folder = await imageFolder(path);
  const { backbone, params } = await openModel(context, flags);
  const size = asked ?? backbone.imageSize;
  assertPatches(size, backbone.patchSize);
  const found = await extractFeatures(backbone, params, labeledImages(folder, { size }), {
    onProgress: ({ done, total }) =>
      screen.draw(`features: ${count(done)} of ${count(total)} pictures`),
  });

  makeFolder(flags.out);
  const write = (name: string, content: Uint8Array | string) => {
    const file = join(flags.out, name);
    writeFileSync(file, content);
    return file;
  };
  const files = [write("pictures.csv", namesCsv(folder))];
  if (format !== "csv") {
    const { rows, labels, dim } = found;
    files.push(
      write("features.npy", encodeNpy({ shape: [found.count, dim], data: rows })),
      write("labels.npy", encodeNpy({ shape: [found.count], data: labels })),
    );
  }
  if (format !== "npy") files.push(write("features.csv", featuresCsv(folder, found)));
  if (flags.json) screen.result(jsonLine({ files, count: found.count, dim: found.dim }));
  else for (const file of files) screen.result(file);
}
