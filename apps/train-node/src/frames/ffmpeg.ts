import { type ChildProcess, spawn } from "node:child_process";
import { RunError } from "../errors.ts";

/** The program that reads and writes videos: the one that `FFMPEG_PATH` names, or `ffmpeg`. */
export interface Ffmpeg {
  readonly program: string;
}

/** The ffmpeg of this machine, or nothing where there is none that runs. */
export async function findFfmpeg(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Ffmpeg | undefined> {
  const program = environment.FFMPEG_PATH || "ffmpeg";
  const child = spawn(program, ["-version"], { stdio: "ignore" });
  const runs = await new Promise<boolean>((resolve) => {
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
  return runs ? { program } : undefined;
}

/** Throws a `RunError` that says what `path` needs where there is no ffmpeg. */
export function needFfmpeg(found: Ffmpeg | undefined, path: string): Ffmpeg {
  if (found) return found;
  throw new RunError(
    `${path}: expected ffmpeg on the PATH (or its name in FFMPEG_PATH), got none: install it, or give a folder of frames with --video`,
  );
}

/** What ffmpeg says of itself while it runs, and how it ends. */
export interface Running {
  readonly child: ChildProcess;
  /** What it has written to standard error so far. */
  messages(): string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts ffmpeg; a Ctrl-C at the terminal is left to us. */
export function startFfmpeg({ program }: Ffmpeg, words: readonly string[]): Running {
  const child = spawn(program, ["-hide_banner", "-nostdin", ...words], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let messages = "";
  child.stderr.on("data", (chunk: Buffer) => {
    messages = (messages + chunk.toString("utf8")).slice(-20_000);
  });
  // What it does not want to read any more is told by its exit code.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  ended.catch(() => undefined);
  return { child, messages: () => messages, ended };
}

/** The last thing that ffmpeg said, for an error's message. */
export function lastMessage(messages: string): string {
  return (
    messages
      .trim()
      .split(/[\r\n]+/)
      .at(-1)
      ?.trim() || "no reason"
  );
}
