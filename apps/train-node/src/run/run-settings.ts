import { existsSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "../errors.ts";
import { fileLayer, resolve } from "../settings/layers.ts";
import type { Settings } from "../settings/settings.ts";

/** Where a run keeps its settings. */
export const configName = "config.yaml";

/** The settings of the run in a folder. */
export async function readRunSettings(run: string): Promise<Settings> {
  const path = join(run, configName);
  if (!existsSync(run)) throw new RunError(`${run}: expected the folder of a run, got nothing`);
  if (!existsSync(path))
    throw new RunError(`${run}: expected the folder of a run, got none (no ${configName})`);
  return resolve([await fileLayer(path)]).settings;
}
