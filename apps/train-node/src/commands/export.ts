import type { Resnet } from "@dino/backbones/resnet";
import { type OnnxModel, resnetToOnnx, vitToOnnx } from "@dino/onnx";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { bytes } from "../console/words.ts";
import { UsageError } from "../errors.ts";
import { architectureKey, asVisionTransformer } from "../model/architecture.ts";
import { type ImageSize, imageSize } from "../model/image-size.ts";
import type { Model } from "../model/weights.ts";
import { writeWhole } from "../model/write-whole.ts";
import { flagValue, openModel, type WeightsFlags, withWeights } from "./weights-options.ts";

interface ExportFlags extends WeightsFlags {
  readonly onnx: string;
  readonly imageSize?: string;
  readonly json?: boolean;
}

export function exportCommand(context: Context): Command {
  return withWeights(command("export", "write a backbone for other runtimes"))
    .requiredOption("--onnx <file>", "the ONNX file to write")
    .option("--image-size <n>", "a ViT's pictures: a side in pixels, or rows,columns (the model's)")
    .option("--json", 'print one line of JSON, {"file","bytes","opset","inputs","outputs"}')
    .addHelpText(
      "after",
      `
images (batch, 3, rows, columns), normalised as the file's metadata say, to class_token (the
feature), patch_tokens and attention (of the last block); a ResNet's to features and feature_map.
Opset 13, float32. The batch may have any size, and so may a ResNet's pictures; the size of a ViT's is
settled here, and the positions are interpolated for it.

Example:
  dino export --weights runs/my-run --onnx model.onnx --image-size 224`,
    )
    .action((flags: ExportFlags) => exportOnnx(context, flags));
}

async function exportOnnx(context: Context, flags: ExportFlags): Promise<void> {
  const { screen } = context;
  const size = flagValue("--image-size", flags.imageSize, imageSize);
  if (size === "original") {
    throw new UsageError(
      "--image-size: expected a number of pixels, or rows,columns, got original",
    );
  }
  const loaded = await openModel(context, flags);
  const model = await ("sizes" in loaded.backbone
    ? ofResnet(loaded, size)
    : ofTransformer(loaded, size));
  await writeWhole(flags.onnx, model.bytes);

  const { opset, inputs, outputs } = model;
  const written = { file: flags.onnx, bytes: model.bytes.length, opset, inputs, outputs };
  if (flags.json) {
    screen.result(jsonLine(written));
    return;
  }
  screen.result(`${flags.onnx}: ONNX, opset ${opset}, ${bytes(written.bytes)}`);
  for (const { name, shape } of [...inputs, ...outputs]) {
    const sizes = shape.map((length) => (length < 0 ? "any" : length));
    screen.result(`  ${name.padEnd(14)}[${sizes.join(", ")}]`);
  }
}

type Sides = Exclude<ImageSize, "original">;

async function ofTransformer(
  { backbone: any, params, file }: Model,
  size: Sides | undefined,
): Promise<OnnxModel> {
  const backbone = asVisionTransformer(any, file);
  const { embedDim, depth, heads, patchSize, imageSize: learnt } = backbone;
  const { rows, columns } = sidesOf(size ?? { shortSide: learnt });
  if (Math.min(rows, columns) < patchSize) {
    throw new UsageError(
      `--image-size: expected at least the model's patch of ${patchSize}, got ${Math.min(rows, columns)}`,
    );
  }
  const architecture = { embedDim, depth, heads, patchSize, imageSize: learnt };
  const metadata = { [architectureKey]: JSON.stringify(architecture) };
  return vitToOnnx(backbone, params, { rows, columns, metadata });
}

async function ofResnet({ backbone, params }: Model, size: Sides | undefined): Promise<OnnxModel> {
  if (size !== undefined) {
    throw new UsageError(
      `--image-size: expected none for ${backbone.name}, which takes pictures of any size`,
    );
  }
  const architecture = { resnet: backbone.name, imageSize: backbone.imageSize };
  const metadata = { [architectureKey]: JSON.stringify(architecture) };
  return resnetToOnnx(backbone as Model["backbone"] & Resnet, params, { metadata });
}

function sidesOf(size: Sides) {
  return "shortSide" in size ? { rows: size.shortSide, columns: size.shortSide } : size;
}
