import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../bin/dino.js", import.meta.url));
const built = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Where nobody has installed an engine, whatever there is on the machine. */
const noEngines = fileURLToPath(new URL("./none", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DinoOptions {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Called once, as soon as standard error has this text in it. */
  readonly when?: readonly [text: string, act: (child: ChildProcess) => void];
}

/** Runs the command line as people do, on the wasm backend. */
export function dino(
  words: readonly string[],
  { cwd, environment, when }: DinoOptions,
): Promise<Outcome> {
  assertBuilt();
  const env = environmentOf(cwd, environment);
  const child = spawn(process.execPath, [program, ...words], { cwd, env });
  let [stdout, stderr, waits] = ["", "", when !== undefined];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    if (!waits || !stderr.includes(when?.[0] as string)) return;
    waits = false;
    when?.[1](child);
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

/** What a process of the command line is started with: wasm, and nothing of whoever runs the tests. */
export function environmentOf(
  cwd: string,
  environment: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const places = { DINO_ENGINES_DIR: noEngines, DINO_CACHE: join(cwd, ".cache") };
  const own = { NO_COLOR: "1", DINO_BACKEND: "wasm", ...places };
  return { PATH: process.env.PATH ?? "", ...own, ...environment };
}

export function assertBuilt(): void {
  if (!existsSync(built))
    throw new Error("dist: expected a build, got none: run npm run build first");
}

/** A model that trains at many steps a second. */
export const tiny: readonly string[] = [
  ..."--arch vit_tiny --embed-dim 24 --depth 2 --num-heads 3 --patch-size 8".split(" "),
  ..."--global-crops-size 32 --local-crops-size 16 --local-crops-number 2".split(" "),
  ..."--out-dim 32 --hidden-dim 24 --bottleneck-dim 12 --batch-size-per-gpu 4".split(" "),
];
