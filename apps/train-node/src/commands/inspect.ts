import { statSync } from "node:fs";
import {
  type Checkpoint,
  httpSource,
  openCheckpoint as openSource,
  type PlainData,
  type TensorInfo,
} from "@dino/checkpoint";
import { openCheckpoint } from "@dino/checkpoint/node";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { bytes, count, significant } from "../console/words.ts";
import { plainJson } from "../model/plain-json.ts";
import { type TensorFigures, tensorFigures } from "../model/tensor-figures.ts";
import { weightsFile } from "../model/weights-file.ts";

interface InspectFlags {
  readonly json?: boolean;
  readonly values?: boolean;
}

type Line = Pick<TensorInfo, "dtype" | "shape"> &
  Partial<TensorFigures> & { readonly name: string };

export function inspectCommand(context: Context): Command {
  return command("inspect", "what is in a checkpoint, or in the last state of a run")
    .argument(
      "<PATH>",
      "a safetensors or PyTorch file, its address on a server, the folder of a run or a model, or a published name",
    )
    .option("--values", "read every tensor, some rows at a time, for its l2 norm and mean")
    .option(
      "--json",
      'print one line of JSON, {"format","tensors":[{"name","dtype","shape"}],"args","data","metadata"}, with --values "l2" and "mean" too',
    )
    .addHelpText(
      "after",
      "\nExamples:\n  dino inspect runs/my-run/exported/backbone.safetensors\n  dino inspect dino_deitsmall16_pretrain.pth --values",
    )
    .action((path: string, flags: InspectFlags) => inspect(context, path, flags));
}

async function inspect(context: Context, path: string, flags: InspectFlags): Promise<void> {
  const { checkpoint, size } = await open(context, path);
  const lines = await linesOf(context, checkpoint, flags.values === true);
  if (flags.json) printJson(context, checkpoint, lines);
  else print(context, checkpoint, size, lines);
}

/** The checkpoint that a path or an address means, and its bytes. */
async function open(
  context: Context,
  path: string,
): Promise<{ readonly checkpoint: Checkpoint; readonly size: number }> {
  if (/^https?:\/\//.test(path)) {
    const source = await httpSource(path);
    return { checkpoint: await openSource(source), size: source.size };
  }
  const file = await weightsFile(path, context);
  return { checkpoint: await openCheckpoint(file), size: statSync(file).size };
}

async function linesOf(
  { screen }: Context,
  checkpoint: Checkpoint,
  values: boolean,
): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    const figures = values ? await tensorFigures(checkpoint, name) : {};
    lines.push({ name, dtype, shape, ...figures });
    if (values) screen.draw(`${count(lines.length)} of ${count(checkpoint.tensors.size)} tensors`);
  }
  screen.draw("");
  return lines;
}

/** What PyTorch's files hold besides tensors, with the arguments of their training apart. */
function dataOf({ data }: Checkpoint): { readonly args: object; readonly data: object } {
  const { args, ...rest } = data;
  const isFields = isRecord(args);
  return {
    args: isFields ? (plainJson(args) as object) : {},
    data: plainJson(isFields ? rest : data) as object,
  };
}

function isRecord(value: PlainData | undefined): value is { readonly [key: string]: PlainData } {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

function printJson({ screen }: Context, checkpoint: Checkpoint, tensors: readonly Line[]): void {
  const { format, metadata } = checkpoint;
  screen.result(jsonLine({ format, tensors, ...dataOf(checkpoint), metadata }));
}

function print(
  { screen }: Context,
  checkpoint: Checkpoint,
  size: number,
  lines: readonly Line[],
): void {
  const { name: file, format, metadata } = checkpoint;
  const names = lines.map(({ name }) => printable(name));
  const width = Math.max(...names.map((name) => name.length), 1);
  const shapes = lines.map(({ shape }) => `[${shape.join(", ")}]`);
  const shapeWidth = Math.max(...shapes.map((shape) => shape.length), 1);
  screen.result(`${file}: ${format}, ${bytes(size)}`);
  for (const [i, { dtype, l2, mean }] of lines.entries()) {
    const figures =
      l2 === undefined || mean === undefined
        ? ""
        : `  l2 ${significant(l2)}  mean ${significant(mean)}`;
    const shape = figures ? shapes[i]?.padEnd(shapeWidth) : shapes[i];
    screen.result(`${names[i]?.padEnd(width)}  ${dtype.padEnd(4)}  ${shape}${figures}`);
  }
  const { args, data } = dataOf(checkpoint);
  for (const [key, value] of Object.entries(args)) {
    screen.result(printable(`args.${key}: ${JSON.stringify(value)}`));
  }
  for (const [key, value] of Object.entries(data)) {
    screen.result(printable(`${key}: ${brief(JSON.stringify(value))}`));
  }
  for (const [key, value] of Object.entries(metadata)) screen.result(printable(`${key}: ${value}`));
  const numbers = lines.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  screen.result(`${count(lines.length)} tensors, ${count(numbers)} numbers`);
}

/** Text of a file's with nothing in it that a terminal would act on. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}

/** A value as it may stand in a line; all of it is in the JSON. */
function brief(text: string): string {
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}
