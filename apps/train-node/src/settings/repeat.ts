import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { isSet, type Layer } from "./layers.ts";
import type { SettingName, Settings } from "./settings.ts";
import { settingNames, table } from "./table.ts";

const paths: readonly SettingName[] = [
  "dataPath",
  "outputDir",
  "initWeights",
  "knnTrain",
  "knnTest",
];

/** Throws a `UsageError` if what is said again for a run that goes on differs from what it has. */
export function assertRepeats(settings: Settings, layers: readonly Layer[]): void {
  for (const { values, origin } of layers) {
    for (const name of settingNames) {
      if (!isSet(values, name)) continue;
      const [before, now] = [comparable(name, settings[name]), comparable(name, values[name])];
      if (before === now) continue;
      throw new UsageError(
        `${origin(name)}: expected ${before} as in the run that goes on, got ${now}`,
      );
    }
  }
}

function comparable(name: SettingName, value: unknown): string {
  if (paths.includes(name) && typeof value === "string") return resolve(value);
  return (table[name].kind as { show(value: unknown): string }).show(value);
}
