import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { tiny } from "./dino.ts";

/** The driver of the software GPU that comes with Chromium, and beside it what loads drivers. */
const { DINO_SWIFTSHADER_ICD: driver = "" } = process.env;

/** What a process must be started with to find it. */
export const softwareGpu: Readonly<Record<string, string>> = {
  VK_ICD_FILENAMES: driver,
  LD_LIBRARY_PATH: dirname(driver),
  DINO_WEBGPU_ADAPTER: "SwiftShader",
};

/** Where it must be and is not, the tests fail. */
export const isMissing = driver === "" && process.env.CI !== "true";

/** A run small enough for it. */
export const training = (name: string, backend: string, ...words: string[]) => [
  ...["train", "photos", ...tiny, "--depth", "1", "--warmup-epochs", "2steps"],
  ...["--backend", backend, "--output-dir", name, "--json", ...words],
];

/** The lines of a run's figures. */
export function linesOf(run: string): readonly Readonly<Record<string, unknown>>[] {
  const text = readFileSync(join(run, "metrics.jsonl"), "utf8").trim();
  return text.split("\n").map((line) => JSON.parse(line));
}

/** Compares the losses that one run has read with those of another, which has read them all. */
export function expectLossesOf(run: string, other: string): void {
  const losses = new Map(linesOf(other).map(({ step, loss }) => [step, loss as number]));
  const read = linesOf(run).filter(({ loss }) => loss !== undefined);
  expect(read.length).toBeGreaterThan(0);
  for (const { step, loss } of read) {
    expect(Math.abs((loss as number) / (losses.get(step) as number) - 1)).toBeLessThan(1e-3);
  }
}
