import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect } from "vitest";
import { dino, type Outcome, tiny } from "./dino.ts";
import { writePictures } from "./pictures.ts";
import { workFolder } from "./work-folder.ts";

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

/** A folder with a few photos, and the command line in it. */
export function withPhotos(name: string) {
  const folder = workFolder(name);
  beforeAll(() => writePictures(join(folder, "photos"), { count: 6 }));
  const run = (
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> => dino(words, { cwd: folder, environment });
  return { folder, run };
}

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
