import { resolve as absolute } from "node:path";
import { UsageError } from "../errors.ts";
import { checkSettings } from "../settings/check.ts";
import { chosenPreset, leavesTheChoice, namedPreset } from "../settings/choose-preset.ts";
import {
  environmentLayer,
  fileLayer,
  flagLayer,
  type Layer,
  type Resolved,
  resolve,
} from "../settings/layers.ts";
import { assertRepeats } from "../settings/repeat.ts";
import type { SettingName, Settings } from "../settings/settings.ts";
import type { Machine } from "../settings/small-data.ts";
import { settingNames } from "../settings/table.ts";
import { configName, readRunSettings } from "./run-settings.ts";

export interface TrainRequest {
  readonly folder?: string | undefined;
  /** The folder of a run to go on with. */
  readonly resume?: string | undefined;
  /** A file of settings. */
  readonly config?: string | undefined;
  /** Flags by setting, as text. */
  readonly flags: { readonly [Name in SettingName]?: string };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What is asked for, before the pictures are known. */
export interface Asked extends Resolved {
  /** The settings for a folder of so many pictures, when nothing says what to train. */
  readonly choose: ((pictures: number, machine: Machine) => Resolved) | undefined;
}

/** The settings that flags, environment, file and preset make together. */
export async function resolveSettings(request: TrainRequest): Promise<Asked> {
  const layers = await layersOf(request);
  if (request.resume !== undefined) return resumed(request.resume, layers);

  const preset = namedPreset(layers);
  const all = preset ? [preset, ...layers] : layers;
  const resolved = checked(resolve(all));
  const { dataPath } = resolved.settings;
  if (dataPath === undefined)
    throw new UsageError("FOLDER: expected a folder of pictures, got none");
  const choose = (pictures: number, machine: Machine) =>
    checked(resolve([chosenPreset(pictures, machine), ...layers]));
  return { ...resolved, choose: leavesTheChoice(layers) ? choose : undefined };
}

/** Later layers win. */
async function layersOf({
  folder,
  config,
  flags,
  environment,
}: TrainRequest): Promise<readonly Layer[]> {
  const layers = [environmentLayer(environment), withFolder(flagLayer(flags), folder)];
  return config === undefined ? layers : [await fileLayer(config), ...layers];
}

/** The folder is the data path by another name; paths are absolute from here on. */
function withFolder(flags: Layer, folder: string | undefined): Layer {
  if (folder === undefined) return flags;
  const { dataPath } = flags.values;
  if (dataPath !== undefined && absolute(dataPath) !== absolute(folder)) {
    throw new UsageError(
      `--data-path: expected the same folder as FOLDER, ${folder}, got ${dataPath}`,
    );
  }
  return {
    values: { ...flags.values, dataPath: folder },
    origin: (name) => (name === "dataPath" ? "FOLDER" : flags.origin(name)),
  };
}

async function resumed(run: string, layers: readonly Layer[]): Promise<Asked> {
  const settings: Settings = { ...(await readRunSettings(run)), outputDir: run };
  assertRepeats(settings, layers);
  const origins = Object.fromEntries(settingNames.map((name) => [name, `${run}/${configName}`]));
  return { ...checked({ settings, origins } as Resolved), choose: undefined };
}

function checked(resolved: Resolved): Resolved {
  checkSettings(resolved.settings);
  return resolved;
}
