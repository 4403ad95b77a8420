import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type LoadReport,
  type NamedWeights,
  renameWeights,
  selectWeights,
  storedTensors,
} from "@dino/checkpoint";
import { openCheckpoint, writePytorch, writeSafetensors } from "@dino/checkpoint/node";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { describeReport } from "../console/load-report.ts";
import { classifierFile, classifierIn } from "../convert/classifier.ts";
import { folderForm } from "../convert/folder-form.ts";
import { flatFile, fullCheckpoint, referenceFile } from "../convert/full-checkpoint.ts";
import { writeFolder } from "../convert/write-folder.ts";
import { UsageError } from "../errors.ts";
import { type Architecture, architectureKey, backboneOf } from "../model/architecture.ts";
import { openWeights } from "../model/weights.ts";
import { weightsFile } from "../model/weights-file.ts";
import * as kinds from "../settings/kinds.ts";
import { checkpointKeyOption, flagValue, numHeadsFlag } from "./weights-options.ts";

interface ConvertFlags {
  readonly out: string;
  readonly format?: string;
  readonly full?: boolean;
  readonly checkpointKey?: string;
  readonly numHeads?: string;
  readonly json?: boolean;
}

type Format = "safetensors" | "pth" | "hf" | "timm";

/** What came out. */
interface Converted {
  readonly what: "backbone" | "full" | "linear";
  readonly files: readonly string[];
  readonly tensors: number;
  readonly report?: LoadReport;
}

export function convertCommand(context: Context): Command {
  return command("convert", "write weights in another program's form")
    .argument(
      "<WEIGHTS>",
      "a run, a file (safetensors, .pth) or folder of weights, or a published name",
    )
    .requiredOption("--out <path>", "X.safetensors, X.pth, or a folder for --format")
    .option("--format <name>", "hf (transformers) or timm: a folder that they open")
    .option("--full", "student, teacher, centre, epoch and arguments of a training run")
    .addOption(checkpointKeyOption())
    .option(...numHeadsFlag)
    .option("--json", "print one line of JSON that names the files and what was done")
    .addHelpText(
      "after",
      `
Without --full it writes the backbone alone, the teacher's of a training run. A .pth is what
torch.save writes: the reference's scripts load it, and torch.load with weights_only=True. With
--full the reference's main_dino.py goes on with it as checkpoint.pth. A linear classifier of the
reference's is written as one.

Examples:
  dino convert runs/my-run --out backbone.pth
  dino convert runs/my-run --out checkpoint.pth --full
  dino convert dino_deitsmall16_pretrain.pth --out dino_vits16.safetensors
  dino convert runs/my-run --out my-model --format hf`,
    )
    .action((path: string, flags: ConvertFlags) => convert(context, path, flags));
}

async function convert(context: Context, path: string, flags: ConvertFlags): Promise<void> {
  const { screen } = context;
  const format = formatOf(flags);
  const { what, files, tensors, report } = await converted(context, path, format, flags);
  const { out } = flags;
  if (flags.json) {
    screen.result(
      jsonLine({ from: path, out, format, what, files, tensors, ...(report && { report }) }),
    );
    return;
  }
  if (report) for (const line of describeReport(report)) screen.note(line);
  for (const file of files) screen.result(file);
}

function formatOf({ out, format, full }: ConvertFlags): Format {
  const asked = flagValue("--format", format, kinds.choice(["hf", "timm"]));
  const ending = /\.(safetensors|pth|pt|bin|pth\.tar)$/.exec(out)?.[1];
  if (asked && ending) {
    throw new UsageError(`--out: expected a folder for --format ${asked}, got ${out}`);
  }
  if (asked && full) {
    throw new UsageError(`--full: expected a file to write to, got --format ${asked}`);
  }
  if (asked) return asked;
  if (ending) return ending === "safetensors" ? "safetensors" : "pth";
  throw new UsageError(
    `--out: expected a name that ends in .safetensors or .pth, or --format hf or timm beside a folder, got ${out}`,
  );
}

async function converted(
  context: Context,
  path: string,
  format: Format,
  flags: ConvertFlags,
): Promise<Converted> {
  const { out, full = false } = flags;
  const checkpoint = await openCheckpoint(await weightsFile(path, context));
  if (full) {
    const all = fullCheckpoint(checkpoint);
    const { entries, metadata } = flatFile(all);
    if (format === "pth") await writePytorch(out, referenceFile(all));
    else await writeSafetensors(out, entries, { format: "pt", ...metadata });
    return { what: "full", files: [out], tensors: entries.size };
  }
  const classifier = classifierIn(checkpoint);
  if (classifier) {
    const { weights, data } = classifier;
    if (format === "pth") await writePytorch(out, classifierFile(classifier));
    else if (format === "safetensors") {
      const named = [...storedTensors(weights)].map(
        ([name, tensor]) => [`linear.${name}`, tensor] as const,
      );
      const texts = Object.entries(data).map(([key, value]) => [key, String(value)]);
      await writeSafetensors(out, new Map(named), { format: "pt", ...Object.fromEntries(texts) });
    } else {
      throw new UsageError(`--format: expected a backbone for ${format}, got a linear classifier`);
    }
    return { what: "linear", files: [out], tensors: 2 };
  }
  return backbone(context, path, format, flags);
}

async function backbone(
  { screen, environment }: Context,
  path: string,
  format: Format,
  flags: ConvertFlags,
): Promise<Converted> {
  const { out } = flags;
  const from =
    flagValue("--checkpoint-key", flags.checkpointKey, kinds.choice(["teacher", "student"])) ??
    "teacher";
  const numHeads = flagValue("--num-heads", flags.numHeads, kinds.integer({ min: 1 }));
  const { checkpoint, architecture } = await openWeights(path, {
    checkpointKey: from,
    numHeads,
    screen,
    environment,
  });
  let report: LoadReport | undefined;
  const weights = selectWeights(backboneOf(architecture), checkpoint, {
    from,
    onReport: (told) => {
      report = told;
    },
  });
  const files = await write(out, format, weights, architecture);
  return { what: "backbone", files, tensors: weights.tensors.size, ...(report && { report }) };
}

async function write(
  out: string,
  format: Format,
  weights: NamedWeights,
  architecture: Architecture,
): Promise<readonly string[]> {
  const tensors = storedTensors(weights);
  if (format === "pth") {
    await writePytorch(out, tensors);
    return [out];
  }
  // `pt` is how other programs call PyTorch's names and shapes.
  const metadata = { format: "pt", [architectureKey]: JSON.stringify(architecture) };
  if (format === "safetensors") {
    await writeSafetensors(out, tensors, metadata);
    return [out];
  }
  const { texts, naming } = folderForm(format, architecture, weights);
  await writeFolder(out, async (folder) => {
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(join(folder, name), `${JSON.stringify(text, null, 2)}\n`);
    }
    const theirs = renameWeights(tensors, naming);
    await writeSafetensors(join(folder, "model.safetensors"), theirs, metadata);
  });
  return [...Object.keys(texts), "model.safetensors"].map((name) => join(out, name));
}
