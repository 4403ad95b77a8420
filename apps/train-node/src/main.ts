import { CheckpointError } from "@dino/checkpoint";
import { Command, CommanderError } from "commander";
import { type Context, quiet } from "./command.ts";
import { processConsole } from "./console/console.ts";
import { UsageError } from "./errors.ts";
import { version } from "./run/environment.ts";
import { normalizeFlags } from "./settings/flags.ts";

type MakeCommand = (context: Context) => Command;

const commands: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  train: async () => (await import("./commands/train.ts")).trainCommand,
  eval: async () => (await import("./commands/eval.ts")).evalCommand,
  attention: async () => (await import("./commands/attention.ts")).attentionCommand,
  pca: async () => (await import("./commands/pca.ts")).pcaCommand,
  similarity: async () => (await import("./commands/similarity.ts")).similarityCommand,
  features: async () => (await import("./commands/features.ts")).featuresCommand,
  export: async () => (await import("./commands/export.ts")).exportCommand,
  inspect: async () => (await import("./commands/inspect.ts")).inspectCommand,
  convert: async () => (await import("./commands/convert.ts")).convertCommand,
  bench: async () => (await import("./commands/bench.ts")).benchCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  engine: async () => (await import("./commands/engine.ts")).engineCommand,
};

/** Runs the command line `words` and returns its exit code: 0, 2 for wrong usage, 1 for what failed. */
export async function main(words: readonly string[]): Promise<number> {
  const screen = processConsole();
  const context: Context = { screen, environment: process.env, exitCode: 0 };
  try {
    const dino = await program(context, words);
    await dino.parseAsync([...normalizeFlags(words)], { from: "user" });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    screen.settle();
    screen.note(sentence(error, words));
    if (context.environment.DINO_DEBUG && error instanceof Error) screen.note(error.stack ?? "");
    return error instanceof UsageError || error instanceof CommanderError ? 2 : 1;
  }
}

async function program(context: Context, words: readonly string[]): Promise<Command> {
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
  for (const make of await commandsFor(words)) dino.addCommand(make(context));
  return dino;
}

/** The command that is asked for, so that the others need not be loaded; all, where none is. */
function commandsFor(words: readonly string[]): Promise<MakeCommand[]> {
  const [name = ""] = words;
  const asked = Object.hasOwn(commands, name) ? [name] : Object.keys(commands);
  return Promise.all(asked.map((each) => (commands[each] as () => Promise<MakeCommand>)()));
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
