import { readFile } from "node:fs/promises";
import { parse, YAMLParseError } from "yaml";
import { UsageError } from "../errors.ts";
import { isResnetName } from "../model/resnet-architecture.ts";
import type { SettingName, Settings, SomeSettings } from "./settings.ts";
import { flagOf, settingNames, settingOf, table } from "./table.ts";

/** Some settings and where they come from. */
export interface Layer {
  readonly values: SomeSettings;
  /** Where a setting of this layer comes from, as people would name it: `--lr`, `DINO_LR`. */
  origin(name: SettingName): string;
}

/** All settings, each with where it comes from. */
export interface Resolved {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingName, string>>;
}

export const defaults: Layer = {
  values: Object.fromEntries(settingNames.map((name) => [name, table[name].default])),
  origin: () => "default",
};

/** The settings when later layers win over earlier ones. */
export function resolve(layers: readonly Layer[]): Resolved {
  const settings: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const { values, origin } of [defaults, archDefaults(layers), ...layers]) {
    for (const name of settingNames) {
      if (!isSet(values, name)) continue;
      settings[name] = values[name];
      origins[name] = origin(name);
    }
  }
  for (const name of settingNames) origins[name] ??= "default";
  return { settings, origins } as unknown as Resolved;
}

/** A ResNet has no stochastic depth to begin with, here as in the reference. */
function archDefaults(layers: readonly Layer[]): Layer {
  const arch = layers.findLast(({ values }) => isSet(values, "arch"))?.values.arch;
  const values = arch && isResnetName(arch) ? { dropPathRate: 0 } : {};
  return { values, origin: () => `default of ${arch}` };
}

export function isSet(values: SomeSettings, name: SettingName): boolean {
  return values[name] !== undefined;
}

/** The flags of a command line, as text by setting. */
export function flagLayer(texts: { readonly [Name in SettingName]?: string }): Layer {
  const origin = (name: SettingName) => `--${flagOf(name)}`;
  return { values: readAll(texts, origin), origin };
}

/** Variables that begin with `DINO_` and are no settings, but mean something elsewhere. */
const otherVariables: readonly string[] = [
  "DINO_CACHE",
  "DINO_DEBUG",
  "DINO_ENGINES_DIR",
  "DINO_LONG_TESTS",
  "DINO_NATIVE_ADDON",
  "DINO_TENSORFLOW",
  "DINO_TENSORFLOW_COMPILE",
  "DINO_WEBGPU_ADAPTER",
];

/** Variables that look like settings and are none: most likely misspelt. */
export function unknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  return Object.keys(environment).filter(
    (name) =>
      name.startsWith("DINO_") &&
      !otherVariables.includes(name) &&
      settingOf(name.slice("DINO_".length)) === undefined,
  );
}

/** The variables of the environment that begin with `DINO_`; a name that is no setting is left alone. */
export function environmentLayer(environment: Readonly<Record<string, string | undefined>>): Layer {
  const texts: Record<string, string> = {};
  const variables: Record<string, string> = {};
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith("DINO_") || value === undefined || value === "") continue;
    const name = settingOf(variable.slice("DINO_".length));
    if (name === undefined) continue;
    texts[name] = value;
    variables[name] = variable;
  }
  const origin = (name: SettingName) => variables[name] as string;
  return { values: readAll(texts, origin), origin };
}

/** The settings of a YAML file, whose keys may be spelt as flags or with underscores. */
export async function fileLayer(path: string): Promise<Layer> {
  const origin = (name: SettingName) => `${path}: ${flagOf(name)}`;
  return { values: readAll(await readYaml(path), origin), origin };
}

/** The settings of a YAML file as text by setting. */
async function readYaml(path: string): Promise<Readonly<Record<string, string>>> {
  const source = await readFile(path, "utf8").catch((cause: Error) => {
    throw new UsageError(`--config: expected a file of settings, got ${cause.message}`, { cause });
  });
  const entries = Object.entries(parseYaml(path, source));
  return Object.fromEntries(
    entries.flatMap(([key, value]) => {
      const name = settingOf(key);
      if (name === undefined) throw new UsageError(`${path}: ${key}: unknown setting`);
      return value === null ? [] : [[name, textOf(value)]];
    }),
  );
}

function parseYaml(path: string, source: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = parse(source) ?? {};
    if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    const [reason] = cause.message.split("\n");
    throw new UsageError(`${path}: expected YAML, got ${reason}`, { cause });
  }
  throw new UsageError(`${path}: expected settings by name, got something else`);
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(" ") : String(value);
}

function readAll(
  texts: { readonly [Name in SettingName]?: string | undefined },
  origin: (name: SettingName) => string,
): SomeSettings {
  const values: Record<string, unknown> = {};
  for (const name of settingNames) {
    const text = texts[name];
    if (text !== undefined) values[name] = readSetting(name, text, origin(name));
  }
  return values;
}

/** A setting's value from its text, or a `UsageError` that names where the text came from. */
export function readSetting(name: SettingName, text: string, origin: string): unknown {
  const { kind } = table[name];
  const value = kind.read(text);
  if (value !== undefined) return value;
  throw new UsageError(`${origin}: expected ${kind.expected}, got ${JSON.stringify(text)}`);
}
