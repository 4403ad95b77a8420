import { existsSync, statSync } from "node:fs";
import { openCheckpoint } from "@dino/checkpoint/node";
import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { bytes, count } from "../console/words.ts";
import { weightsFile } from "../model/weights-file.ts";

interface InspectFlags {
  readonly json?: boolean;
}

export function inspectCommand(context: Context): Command {
  return command("inspect", "what is in a checkpoint, or in the last state of a run")
    .argument("<PATH>", "a safetensors file, or the folder of a run")
    .option(
      "--json",
      'print one line of JSON, {"format","tensors":[{"name","dtype","shape"}],"metadata"}',
    )
    .addHelpText("after", "\nExample:\n  dino inspect runs/my-run/exported/backbone.safetensors")
    .action((path: string, flags: InspectFlags) => inspect(context, path, flags));
}

async function inspect({ screen }: Context, path: string, flags: InspectFlags): Promise<void> {
  const file = await weightsFile(path);
  const { format, tensors, metadata } = await openCheckpoint(file);
  const list = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  if (flags.json) {
    screen.result(jsonLine({ format, tensors: list, metadata }));
    return;
  }
  const width = Math.max(...list.map(({ name }) => name.length), 1);
  const numbers = list.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  screen.result(`${file}: ${format}, ${bytes(statSync(file).size)}`);
  for (const { name, dtype, shape } of list) {
    screen.result(`${name.padEnd(width)}  ${dtype.padEnd(4)}  [${shape.join(", ")}]`);
  }
  for (const [key, value] of Object.entries(metadata)) screen.result(`${key}: ${value}`);
  screen.result(`${count(list.length)} tensors, ${count(numbers)} numbers`);
  if (existsSync(path) && file !== path) screen.note(`this is the last state of the run ${path}`);
}
