import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { stopOnSignals } from "../console/signals.ts";
import { count, significant } from "../console/words.ts";
import { UsageError } from "../errors.ts";
import { type Engine, startEngine } from "../run/engine.ts";
import { openPhotos } from "../run/open-photos.ts";
import { outputDirectory } from "../run/output-directory.ts";
import { resolveSettings } from "../run/resolve-settings.ts";
import { trainRun } from "../run/train-run.ts";
import { trainSummary } from "../run/train-summary.ts";
import { checkLength } from "../settings/check.ts";
import { presetNames } from "../settings/choose-preset.ts";
import { settingOptions } from "../settings/flags.ts";
import { type Resolved, unknownVariables } from "../settings/layers.ts";
import { presets } from "../settings/presets.ts";
import { printedConfig, printedJson } from "../settings/print.ts";
import type { SettingName } from "../settings/settings.ts";
import { settingNames } from "../settings/table.ts";

interface TrainFlags extends Readonly<Partial<Record<SettingName, string>>> {
  readonly resume?: string;
  readonly config?: string;
  readonly printConfig?: boolean;
  readonly json?: boolean;
}

export function trainCommand(context: Context): Command {
  const made = command("train", "train DINO on a folder of pictures")
    .argument("[FOLDER]", "pictures, in any folders below it; no labels are needed")
    .option(
      "--resume <run>",
      "go on with the run in this folder; what is said again must be the same",
    )
    .option("--config <file>", "settings from a YAML file, such as a run's config.yaml")
    .option("--print-config", "show every setting and where it comes from, and train nothing")
    .option("--json", "print one line of JSON at the end, and nothing else on standard output");
  for (const option of settingOptions()) made.addOption(option);
  return made
    .addHelpText("after", help())
    .action((folder: string | undefined, flags: TrainFlags) => train(context, folder, flags));
}

const stoppedEarly = "stopped before the first step: nothing was kept";

async function train(
  context: Context,
  folder: string | undefined,
  flags: TrainFlags,
): Promise<void> {
  const { screen, environment } = context;
  for (const name of unknownVariables(environment)) {
    screen.note(`${name}: there is no such setting, so it is left alone`);
  }
  const asked = await resolveSettings({
    folder,
    resume: flags.resume,
    config: flags.config,
    flags: settingFlags(flags),
    environment,
  });
  const { dataPath } = asked.settings;
  if (dataPath === undefined) {
    if (!flags.printConfig) {
      throw new UsageError("FOLDER: expected a folder of pictures, got none");
    }
    screen.result(flags.json ? jsonLine(printedJson(asked)) : printedConfig(asked));
    return;
  }
  const stop = stopOnSignals(() =>
    screen.note("stopping after this step; once more to leave at once"),
  );
  try {
    const { backend, precision, threads } = asked.settings;
    const engine = await startEngine(backend, precision, threads);
    screen.note(engine.line);
    const photos = await openPhotos(dataPath, screen, stop.signal);
    const resolved = asked.choose?.(photos.length, engine.machine) ?? asked;
    const { settings } = resolved;
    if (asked.choose) screen.note(chosen(resolved, photos.length, engine));
    checkLength(settings, Math.max(1, Math.floor(photos.length / settings.batchSizePerGpu)));
    if (flags.printConfig) {
      screen.result(flags.json ? jsonLine(printedJson(resolved)) : printedConfig(resolved));
      return;
    }
    const path = flags.resume ?? outputDirectory(settings);
    const resumes = flags.resume !== undefined;
    const { signal } = stop;
    const result = await trainRun({ settings, photos, path, resumes, engine, screen, signal });
    const summary = trainSummary(path, engine, result);
    if (flags.json) screen.result(jsonLine(summary.document));
    for (const line of result.steps > 0 ? summary.lines : [stoppedEarly]) screen.note(line);
    if (result.stopped && stop.exitCode !== undefined) context.exitCode = stop.exitCode;
  } catch (error) {
    if (error !== stop.signal.reason || stop.exitCode === undefined) throw error;
    screen.note(stoppedEarly);
    context.exitCode = stop.exitCode;
  } finally {
    stop.release();
  }
}

function settingFlags(flags: TrainFlags): Partial<Record<SettingName, string>> {
  const given = settingNames.flatMap((name) => {
    const text = flags[name];
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(given);
}

/** What the program chose where nothing said what to train. */
function chosen({ settings }: Resolved, pictures: number, { name, machine }: Engine): string {
  const { arch, patchSize, embedDim, depth, globalCropsSize, localCropsNumber, localCropsSize } =
    settings;
  const sizes = embedDim === undefined ? "" : ` (width ${embedDim}, depth ${depth})`;
  return (
    `preset for ${count(pictures)} pictures on ${name} (${machine}): ${arch}/${patchSize}${sizes}, ` +
    `crops 2 x ${globalCropsSize} + ${localCropsNumber} x ${localCropsSize}, batch ${settings.batchSizePerGpu}, ` +
    `${count(settings.outDim)} prototypes, teacher temperature ${significant(settings.teacherTemp)}, ` +
    `${count(settings.epochs.amount)} epochs; --print-config shows all of it`
  );
}

function help(): string {
  const list = presetNames().map((name) => `  ${name.padEnd(22)} ${presets[name]?.about}`);
  return `
Without a flag of the groups Model, Crops, Optimizer and Schedule, and without --preset, settings are
chosen by the number of pictures and the machine. With any of them, the defaults above fill the rest.

Durations: 2 (epochs), 500steps, 10% (of the run).
Settings: defaults < preset < --config FILE < environment (DINO_LR=0.001) < flags.

Presets:
${list.join("\n")}

Examples:
  dino train photos
  dino train photos --preset vit-small-boosted
  dino train photos --arch vit_tiny --patch-size 8 --global-crops-size 64 --local-crops-size 32
  dino train --resume runs/2026-11-24-vit-tiny-0

The first Ctrl-C finishes the step and saves, the second leaves. Exit codes: 0 done, 1 data, files or
figures, 2 usage, 130 and 143 stopped by a signal.`;
}
