import { Command } from "commander";
import type { Console } from "./console/console.ts";

/** What a command is given, and what it leaves behind. */
export interface Context {
  readonly screen: Console;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The exit code of a command that ended well: 0 unless it says otherwise. */
  exitCode: number;
}

/** A command whose errors are thrown rather than printed, and whose help is complete on its own. */
export function command(name: string, description: string): Command {
  return quiet(new Command(name)).description(description).helpOption("--help", "show this help");
}

/** Errors go to whoever called; help goes to standard output. */
export function quiet(made: Command): Command {
  return made
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined });
}
