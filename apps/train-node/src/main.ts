import { CheckpointError } from "@dino/checkpoint";
import { Command, CommanderError } from "commander";
import { type Context, quiet } from "./command.ts";
import { attentionCommand } from "./commands/attention.ts";
import { benchCommand } from "./commands/bench.ts";
import { convertCommand } from "./commands/convert.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { engineCommand } from "./commands/engine.ts";
import { evalCommand } from "./commands/eval.ts";
import { exportCommand } from "./commands/export.ts";
import { featuresCommand } from "./commands/features.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { pcaCommand } from "./commands/pca.ts";
import { similarityCommand } from "./commands/similarity.ts";
import { trainCommand } from "./commands/train.ts";
import { processConsole } from "./console/console.ts";
import { UsageError } from "./errors.ts";
import { version } from "./run/environment.ts";
import { normalizeFlags } from "./settings/flags.ts";

/** Runs the command line `words` and returns its exit code: 0, 2 for wrong usage, 1 for what failed. */
export async function main(words: readonly string[]): Promise<number> {
  const screen = processConsole();
  const context: Context = { screen, environment: process.env, exitCode: 0 };
  try {
    await program(context).parseAsync([...normalizeFlags(words)], { from: "user" });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    screen.settle();
    screen.note(sentence(error, words));
    if (context.environment.DINO_DEBUG && error instanceof Error) screen.note(error.stack ?? "");
    return error instanceof UsageError || error instanceof CommanderError ? 2 : 1;
  }
}

function program(context: Context): Command {
  const dino = quiet(new Command("dino"))
    .description(
      "DINO: self-distillation with no labels. A folder of pictures goes in, a model comes out.",
    )
    .version(version(), "--version", "show the version")
    .helpOption("--help", "show this help")
    .helpCommand(false)
    .addHelpText(
      "after",
      "\n`dino COMMAND --help` tells all of a command. Flags may be spelt with _ as well as with -.",
    );
  const commands = [
    trainCommand,
    evalCommand,
    attentionCommand,
    pcaCommand,
    similarityCommand,
    featuresCommand,
    exportCommand,
    inspectCommand,
    convertCommand,
    benchCommand,
    doctorCommand,
    engineCommand,
  ];
  for (const make of commands) dino.addCommand(make(context));
  return dino;
}

/** What went wrong, in one sentence; weights that do not fit have a list behind it. */
function sentence(error: unknown, words: readonly string[]): string {
  if (error instanceof CommanderError) return usageSentence(error, words);
  const message = error instanceof Error ? error.message : String(error);
  // A checkpoint's lists of names are what its message is for; of others the first line is all.
  return `dino: ${error instanceof CheckpointError ? message : message.split("\n")[0]}`;
}

function usageSentence({ code, message }: CommanderError, words: readonly string[]): string {
  if (code === "commander.help") {
    const name = words.find((word) => !word.startsWith("-"));
    return `dino: expected a command${name ? ` after ${name}` : ""}, got none: dino --help lists them`;
  }
  const [first = "", hint = ""] = message.replace(/^error: /, "").split("\n");
  const [, flag] = /unknown option '(--?[^']*)'/.exec(first) ?? [];
  if (flag === undefined) return `dino: ${first}${hint && ` ${hint}`}`;
  return `dino: ${flag}: unknown flag ${hint || "(see --help)"}`;
}
