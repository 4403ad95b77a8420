import { UsageError } from "../errors.ts";
import { isSet, type Layer } from "./layers.ts";
import { presets, presetsToCome } from "./presets.ts";
import { type Machine, smallDataSettings } from "./small-data.ts";
import { type Group, settingNames, table } from "./table.ts";

/** Settings of these kinds say what to train; with none of them, the program chooses. */
const choosing: readonly Group[] = ["Model", "Crops", "Optimizer", "Schedule"];

/** The preset that the layers ask for by name. */
export function namedPreset(layers: readonly Layer[]): Layer | undefined {
  const name = layers.findLast(({ values }) => isSet(values, "preset"))?.values.preset;
  if (name === undefined) return undefined;
  const backbone = presetsToCome[name];
  if (backbone) {
    throw new UsageError(
      `--preset: expected one that can be trained, got ${name}, whose backbone ${backbone} is still to come`,
    );
  }
  const preset = presets[name];
  if (preset) return { values: preset.values, origin: () => `preset ${name}` };
  throw new UsageError(`--preset: expected one of ${presetNames().join(", ")}, got ${name}`);
}

/** Presets that can be trained. */
export function presetNames(): readonly string[] {
  return Object.keys(presets).filter((name) => !(name in presetsToCome));
}

/** Whether nothing says what to train: no preset, and no flag of model, crops, optimizer or schedule. */
export function leavesTheChoice(layers: readonly Layer[]): boolean {
  return layers.every(({ values }) =>
    settingNames.every(
      (name) =>
        !isSet(values, name) || (name !== "preset" && !choosing.includes(table[name].group)),
    ),
  );
}

/** Settings for a folder of so many pictures on such a machine. */
export function chosenPreset(pictures: number, machine: Machine): Layer {
  return {
    values: smallDataSettings(pictures, machine),
    origin: () => `preset for ${pictures} pictures on a ${machine}`,
  };
}
