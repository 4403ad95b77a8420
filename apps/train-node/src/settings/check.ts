import { UsageError } from "../errors.ts";
import { architectureOf } from "../model/architecture.ts";
import { isResnetName } from "../model/resnet-architecture.ts";
import { type Duration, describeDuration, type RunLength, toSteps } from "./duration.ts";
import type { SettingName, Settings } from "./settings.ts";
import { flagOf, table } from "./table.ts";

/** Throws a `UsageError` where settings do not go together. Looks at no file. */
export function checkSettings(settings: Settings): void {
  if (isResnetName(settings.arch)) {
    checkResnet(settings);
  } else {
    checkCrops(settings);
    architectureOf(settings); // throws where the heads do not divide the width
  }
  checkKnn(settings);
  // An epoch's steps are not known yet; of durations in one unit the shorter is shorter all the same.
  if (settings.epochs.unit === "epochs") checkWarmups(settings, 1000, ["epochs", "percent"]);
  else checkWarmups(settings, 1, ["steps", "percent"]);
}

/** The same once the steps of an epoch are known: warm-ups in any unit fit into the run. */
export function checkLength(settings: Settings, perEpoch: number): RunLength {
  return checkWarmups(settings, perEpoch, ["epochs", "steps", "percent"]);
}

function checkCrops({
  patchSize,
  globalCropsSize,
  localCropsSize,
  localCropsNumber,
}: Settings): void {
  const assertDivides = (name: SettingName, size: number) => {
    if (size % patchSize === 0) return;
    throw new UsageError(
      `--${flagOf(name)}: expected a multiple of the patch of ${patchSize} (--patch-size), got ${size}`,
    );
  };
  assertDivides("globalCropsSize", globalCropsSize);
  if (localCropsNumber > 0) assertDivides("localCropsSize", localCropsSize);
}

/** A ResNet is what its name says, and cuts no patches. */
function checkResnet(settings: Settings): void {
  const { arch, patchSize, dropPathRate } = settings;
  const refuse = (name: SettingName, expected: string, got: unknown) => {
    throw new UsageError(`--${flagOf(name)}: expected ${expected} with ${arch}, got ${got}`);
  };
  for (const name of ["embedDim", "depth", "numHeads"] as const) {
    if (settings[name] !== undefined) refuse(name, "none", settings[name]);
  }
  if (patchSize !== table.patchSize.default) refuse("patchSize", "none", patchSize);
  if (dropPathRate > 0)
    refuse("dropPathRate", "0 (a ResNet has no stochastic depth)", dropPathRate);
}

function checkKnn({ knnTrain, knnTest }: Settings): void {
  if (knnTest === undefined || knnTrain !== undefined) return;
  throw new UsageError("--knn-test: expected --knn-train beside it, to find neighbours in");
}

function checkWarmups(
  settings: Settings,
  perEpoch: number,
  units: readonly Duration["unit"][],
): RunLength {
  const length = { perEpoch, steps: toSteps(settings.epochs, { perEpoch, steps: 0 }) };
  for (const name of ["warmupEpochs", "warmupTeacherTempEpochs"] as const) {
    const warmup = settings[name];
    if (!units.includes(warmup.unit) || toSteps(warmup, length) <= length.steps) continue;
    throw new UsageError(
      `--${flagOf(name)}: expected at most the run of ${describeDuration(settings.epochs)} (--epochs), ` +
        `got ${describeDuration(warmup)}`,
    );
  }
  return length;
}
