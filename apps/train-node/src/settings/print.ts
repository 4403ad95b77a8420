import { stringify } from "yaml";
import type { Resolved } from "./layers.ts";
import type { SettingName, Settings } from "./settings.ts";
import { flagOf, settingNames, table } from "./table.ts";

/** The first line of a run's configuration, by which it is known. */
const header = "# A run of dino train.";

/** A setting as plain data: a number, true or false, a text, or nothing. */
function plain(settings: Settings, name: SettingName): number | boolean | string | null {
  const value = settings[name];
  if (value === undefined) return null;
  if (typeof value === "number" || typeof value === "boolean") return value;
  return shown(settings, name);
}

/** A setting in words, with what the program does where it is left open. */
function shown(settings: Settings, name: SettingName): string {
  const { kind } = table[name] as { kind: { show(value: unknown): string } };
  return kind.show(settings[name]);
}

/** The settings that change a run's numbers, as plain data. */
export function numberSettings(
  settings: Settings,
): Readonly<Record<string, number | boolean | string | null>> {
  const names = settingNames.filter((name) => table[name].numbers);
  return Object.fromEntries(names.map((name) => [flagOf(name), plain(settings, name)]));
}

/** All settings as a file that `--config` reads. */
export function configYaml(settings: Settings): string {
  const values = Object.fromEntries(
    settingNames.map((name) => [flagOf(name), plain(settings, name)]),
  );
  return `${header}\n${stringify(values)}`;
}

/** Every setting on a line of its own, with where it comes from: `lr: 0.0005 # default`. */
export function printedConfig({ settings, origins }: Resolved): string {
  const lines = settingNames.map((name) => [
    `${flagOf(name)}: ${shown(settings, name)}`,
    origins[name],
  ]);
  const width = Math.max(...lines.map(([text]) => (text as string).length));
  return lines.map(([text, origin]) => `${(text as string).padEnd(width)}  # ${origin}`).join("\n");
}

/** The same as data. */
export function printedJson({ settings, origins }: Resolved): object {
  return Object.fromEntries(
    settingNames.map((name) => [
      flagOf(name),
      { value: plain(settings, name), origin: origins[name] },
    ]),
  );
}
