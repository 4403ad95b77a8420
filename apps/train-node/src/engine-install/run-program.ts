import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { RunError } from "../errors.ts";

export interface ProgramOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Gets what it says, line by line: from standard error and, unless `output` is kept, output. */
  readonly onLine?: (line: string) => void;
}

/** A program did not end well. */
export class ProgramError extends RunError {
  /** The last lines of what it said. */
  readonly said: readonly string[];

  constructor(message: string, said: readonly string[]) {
    super(message);
    this.said = said;
  }
}

/** How many of its last lines an error tells. */
const told = 40;

/**
 * Runs a program to its end and returns its standard output. A ProgramError tells how a failed one
 * ended; an aborted signal ends it and all that it has started.
 */
export async function runProgram(
  program: string,
  words: readonly string[],
  { cwd, environment = process.env, signal, onLine }: ProgramOptions = {},
): Promise<string> {
  signal?.throwIfAborted();
  // In a group of its own, so that Ctrl-C is passed on once, by us, and to all of them.
  const child = spawn(program, words, {
    ...(cwd !== undefined && { cwd }),
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = () => {
    if (child.pid !== undefined) endGroup(child.pid);
  };
  signal?.addEventListener("abort", stop);
  const output: string[] = [];
  const last: string[] = [];
  const hear = (line: string) => {
    last.push(line);
    if (last.length > told) last.shift();
    onLine?.(line);
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    output.push(line);
    hear(line);
  });
  createInterface({ input: child.stderr }).on("line", hear);
  try {
    const end = await new Promise<number | string>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code ?? signal ?? "no exit code"));
    });
    signal?.throwIfAborted();
    if (end === 0) return output.join("\n");
    const how = typeof end === "number" ? `exit code ${end}` : end;
    const said = last.filter((line) => line.trim() !== "");
    const called = [program, ...words].slice(0, 4).join(" ");
    throw new ProgramError(`${called}: expected it to end well, got ${how}`, said);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // It has ended by itself.
  }
}
