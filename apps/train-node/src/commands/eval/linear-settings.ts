import { UsageError } from "../../errors.ts";
import type { CacheFlags } from "../../features/cache-options.ts";
import * as kinds from "../../settings/kinds.ts";
import { flagValue, type WeightsFlags } from "../weights-options.ts";
import type { ClassFolderFlags } from "./class-folders.ts";
import { type Reading, type ReadingFlags, readingOf } from "./reading-options.ts";

export interface LinearFlags extends WeightsFlags, CacheFlags, ClassFolderFlags, ReadingFlags {
  readonly nLastBlocks?: string;
  readonly avgpoolPatchtokens?: string;
  readonly epochs?: string;
  readonly lr?: string;
  readonly valFreq?: string;
  readonly numLabels?: string;
  readonly seed?: string;
  readonly outputDir: string;
  readonly sweep?: boolean;
  readonly heldOut?: string;
  readonly evaluate?: boolean;
  readonly linearWeights?: string;
  readonly classes?: boolean;
  readonly confusion?: string;
  readonly json?: boolean;
}

/** What the flags of `dino eval linear` ask for. */
export interface LinearSettings {
  readonly blocks: number | undefined;
  readonly averagePool: boolean | undefined;
  readonly epochs: number;
  /** Learning rates for batches of 256: several for a sweep, else one. */
  readonly rates: readonly number[];
  readonly validateEvery: number;
  /** Classes of the classifier; those of the folder when absent. */
  readonly labels: number | undefined;
  readonly seed: number;
  /** The share of the training pictures that decides a sweep. */
  readonly heldOut: number;
  readonly reading: Reading;
}

/** What a sweep tries, for batches of 256. */
const usualRates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3];

/** Reads the flags; a `UsageError` names one that cannot be, or not beside others. */
export function linearSettings(flags: LinearFlags): LinearSettings {
  const whole = (min: number) => kinds.integer({ min });
  const rates = flagValue("--lr", flags.lr, learningRates);
  if (rates && rates.length > 1 && !flags.sweep) {
    throw new UsageError(`--lr: expected one number without --sweep, got ${rates.join(",")}`);
  }
  const needs = [
    ["--held-out", flags.heldOut, "--sweep", flags.sweep],
    ["--linear-weights", flags.linearWeights, "--evaluate", flags.evaluate],
  ] as const;
  for (const [flag, value, other, isThere] of needs) {
    if (value !== undefined && !isThere) {
      throw new UsageError(`${flag}: expected ${other} beside it`);
    }
  }
  if (flags.sweep && flags.evaluate) throw new UsageError("--sweep: expected none with --evaluate");
  return {
    blocks: flagValue("--n-last-blocks", flags.nLastBlocks, whole(1)),
    averagePool: flagValue("--avgpool-patchtokens", flags.avgpoolPatchtokens, kinds.boolean),
    epochs: flagValue("--epochs", flags.epochs, whole(1)) ?? 100,
    rates: rates ?? (flags.sweep ? usualRates : [0.001]),
    validateEvery: flagValue("--val-freq", flags.valFreq, whole(1)) ?? 1,
    labels: flagValue("--num-labels", flags.numLabels, whole(1)),
    seed: flagValue("--seed", flags.seed, whole(0)) ?? 0,
    heldOut: flagValue("--held-out", flags.heldOut, kinds.number({ above: 0, below: 1 })) ?? 0.1,
    reading: readingOf(flags),
  };
}

/** Numbers above 0 with commas between them. */
const learningRates: kinds.Kind<readonly number[]> = {
  placeholder: "number",
  expected: "a number above 0, or several with commas",
  read: (text) => {
    const one = kinds.number({ above: 0 });
    const numbers = text.split(",").map((part) => one.read(part));
    return numbers.every((value) => value !== undefined) ? numbers : undefined;
  },
  show: (value) => value.join(","),
};
