import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type EngineReport, lacking, type Precision } from "@dino/backend";
import { RunError, UsageError } from "../errors.ts";
import type { BenchFigures } from "./bench-figures.ts";

/** One engine's place in a comparison: its figures, or why there are none. */
export type Compared =
  | (BenchFigures & { readonly measured: true })
  | {
      readonly backend: string;
      readonly measured: false;
      readonly reason: string;
      /** The command that would make it available. */
      readonly install?: string;
    };

export interface CompareOptions {
  /** The engines to measure; without them all that are there and not made for tests. */
  readonly engines: readonly string[] | undefined;
  readonly precision: Precision | "auto";
  /** The flags of `dino bench` that every engine is given. */
  readonly words: readonly string[];
  /** Called before an engine is measured. */
  onEngine(name: string): void;
}

const program = fileURLToPath(new URL("../../bin/dino.js", import.meta.url));

/**
 * Measures one engine after the other, each in a process of its own, so that none holds memory or
 * threads while another computes.
 */
export async function compareEngines({
  engines: asked,
  precision,
  words,
  onEngine,
}: CompareOptions): Promise<readonly Compared[]> {
  const reports = await enginesHere();
  const names = reports.map(({ name }) => name);
  const stranger = asked?.find((name) => !names.includes(name));
  if (stranger !== undefined) {
    throw new UsageError(`--compare: expected some of ${names.join(", ")}, got ${stranger}`);
  }
  const results: Compared[] = [];
  for (const report of reports) {
    const { name, install } = report;
    if (asked !== undefined && !asked.includes(name)) continue;
    const reason = whyNot(report, precision, asked !== undefined);
    if (reason !== undefined) {
      results.push({ backend: name, measured: false, reason, ...(install && { install }) });
      continue;
    }
    onEngine(name);
    results.push(await measured(name, [...words, "--precision", precision]));
  }
  return results;
}

/** Every engine of this machine, told by another process, which then leaves the devices alone. */
async function enginesHere(): Promise<readonly EngineReport[]> {
  const environment = { DINO_BACKEND: "cpu", DINO_PRECISION: "fp32" };
  const { stdout, failure } = await dino(["doctor", "--json"], environment);
  if (failure !== undefined) throw new RunError(`engines: expected a list of them, got ${failure}`);
  return (JSON.parse(stdout) as { readonly engines: readonly EngineReport[] }).engines;
}

function whyNot(
  engine: EngineReport,
  precision: Precision | "auto",
  named: boolean,
): string | undefined {
  const { name, available, reason } = engine;
  if (!available) return reason ?? "not available";
  const lacks = precision === "auto" ? undefined : lacking(engine, precision);
  if (lacks !== undefined) return lacks;
  const slow = name === "cpu" ? "for tests only" : reason === "software adapter" && reason;
  return slow && !named ? `${slow}, so left out: ask for it by --compare ${name}` : undefined;
}

async function measured(name: string, words: readonly string[]): Promise<Compared> {
  const { stdout, failure } = await dino(["bench", ...words, "--backend", name, "--json"]);
  if (failure !== undefined) return { backend: name, measured: false, reason: failure };
  return { ...(JSON.parse(stdout) as BenchFigures), measured: true };
}

/** This program in another process: what it prints, or in what sentence it failed. */
async function dino(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly stdout: string; readonly failure?: string }> {
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  const leave = () => child.kill();
  process.once("exit", leave);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? signal ?? "no exit code"));
    });
    const stdout = Buffer.concat(out).toString();
    if (code === 0) return { stdout };
    const lines = Buffer.concat(err).toString().trim().split("\n");
    const sentence = lines.findLast((line) => line.startsWith("dino: "))?.slice("dino: ".length);
    return { stdout, failure: sentence ?? `ended with ${code}: ${lines.at(-1)}` };
  } finally {
    process.removeListener("exit", leave);
  }
}
