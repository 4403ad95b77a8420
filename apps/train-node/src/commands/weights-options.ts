import { type Command, Option } from "commander";
import type { Context } from "../command.ts";
import { describeReport } from "../console/load-report.ts";
import { UsageError } from "../errors.ts";
import { asVisionTransformer, describeBackbone } from "../model/architecture.ts";
import { loadModel, type Model, type VitModel } from "../model/weights.ts";
import { startEngine } from "../run/engine.ts";
import * as kinds from "../settings/kinds.ts";

/** Flags of every command that takes a trained model. */
export interface WeightsFlags {
  readonly weights: string;
  readonly checkpointKey?: string;
  readonly numHeads?: string;
  readonly allowPartial?: boolean;
  readonly backend?: string;
}

/** Which of two networks a command takes. */
export function checkpointKeyOption(): Option {
  return new Option(
    "--checkpoint-key <name>",
    "which network of a run: teacher or student (teacher)",
  );
}

/** What a file of weights does not tell. */
export const numHeadsFlag: readonly [flag: string, help: string] = [
  "--num-heads <n>",
  "attention heads, where a file does not tell (width / 64)",
];

/** `optional` where a command has something to do without a model too. */
export function withWeights(
  made: Command,
  { optional = false }: { readonly optional?: boolean } = {},
): Command {
  const path = new Option(
    "--weights <path>",
    "a run, a file (safetensors, .pth) or folder of weights, or a published name (dino_vits16)",
  );
  return made
    .addOption(path.makeOptionMandatory(!optional))
    .addOption(checkpointKeyOption())
    .option(...numHeadsFlag)
    .option("--allow-partial", "begin what a file lacks at random, ignore what is too much")
    .option("--backend <name>", "engine: auto, native, tensorflow, webgpu, wasm, cpu (auto)");
}

/** Starts the engine and loads the model that the flags ask for. */
export async function openModel(
  { screen, environment }: Context,
  flags: WeightsFlags,
): Promise<Model> {
  const checkpointKey = flagValue(
    "--checkpoint-key",
    flags.checkpointKey,
    kinds.choice(["teacher", "student"]),
  );
  const numHeads = flagValue("--num-heads", flags.numHeads, kinds.integer({ min: 1 }));
  const { line } = await startEngine(flags.backend ?? (environment.DINO_BACKEND || "auto"));
  screen.note(line);
  const model = await loadModel(flags.weights, {
    numHeads,
    ...(checkpointKey !== undefined && { checkpointKey }),
    allowPartial: flags.allowPartial ?? false,
    screen,
    environment,
  });
  screen.note(`${model.file}: ${describeBackbone(model.backbone)}`);
  for (const line of describeReport(model.report)) screen.note(line);
  return model;
}

/** The same where tokens and their attention are asked for. */
export async function openVisionTransformer(
  context: Context,
  flags: WeightsFlags,
): Promise<VitModel> {
  const model = await openModel(context, flags);
  return { ...model, backbone: asVisionTransformer(model.backbone, model.file) };
}

/** A flag's value, or a `UsageError` that names it; nothing if it is not there. */
export function flagValue<T>(
  flag: string,
  text: string | undefined,
  kind: kinds.Kind<T>,
): T | undefined {
  if (text === undefined) return undefined;
  const value = kind.read(text);
  if (value !== undefined) return value;
  throw new UsageError(`${flag}: expected ${kind.expected}, got ${JSON.stringify(text)}`);
}

/** Whole numbers with commas or spaces between them. */
export const integers: kinds.Kind<readonly number[]> = {
  placeholder: "n,n",
  expected: "whole numbers from 1, such as 10,20",
  read: (text) => {
    const numbers = text
      .trim()
      .split(/[\s,]+/)
      .map(Number);
    return numbers.every((n) => Number.isSafeInteger(n) && n >= 1) ? numbers : undefined;
  },
  show: (value) => value.join(","),
};
