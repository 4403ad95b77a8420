import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { bytes, significant } from "../console/words.ts";
import { UsageError } from "../errors.ts";
import { type BenchFigures, benchFigures } from "../run/bench-figures.ts";
import { type Compared, compareEngines } from "../run/compare-engines.ts";
import { startEngine } from "../run/engine.ts";
import { checkSettings } from "../settings/check.ts";
import { epochs } from "../settings/duration.ts";
import { settingOptions } from "../settings/flags.ts";
import * as kinds from "../settings/kinds.ts";
import { environmentLayer, flagLayer, isSet, type Layer, resolve } from "../settings/layers.ts";
import type { SettingName, Settings } from "../settings/settings.ts";
import { flagOf, table } from "../settings/table.ts";
import { flagValue } from "./weights-options.ts";

/** How large a step is. */
const sizes: readonly SettingName[] = [
  "arch",
  "patchSize",
  "embedDim",
  "depth",
  "numHeads",
  "outDim",
  "hiddenDim",
  "bottleneckDim",
  "globalCropsSize",
  "localCropsSize",
  "localCropsNumber",
  "batchSizePerGpu",
];

/** What a step depends on; stochastic depth is off, which would make its work random. */
const names: readonly SettingName[] = [
  ...sizes,
  "normLastLayer",
  "useBnInHead",
  "optimizer",
  "clipGrad",
  "seed",
  "microBatch",
  "backend",
  "precision",
  "threads",
];

/** What is compared when nothing says how large a step is: little enough for the slow engines. */
const comparedByDefault: Layer = {
  values: {
    arch: "vit_tiny",
    patchSize: 8,
    globalCropsSize: 64,
    localCropsSize: 32,
    localCropsNumber: 6,
    outDim: 1024,
    batchSizePerGpu: 8,
  },
  origin: () => "dino bench --compare",
};

interface BenchFlags extends Readonly<Partial<Record<SettingName, string>>> {
  readonly steps?: string;
  readonly json?: boolean;
  /** Names of engines, or true for all of them. */
  readonly compare?: string | true;
}

export function benchCommand(context: Context): Command {
  const made = command("bench", "time one training step on seeded random pictures")
    .option("--steps <n>", "how many steps; the best counts (3)")
    .option(
      "--json",
      'print one line of JSON, {"backend","precision","imagesPerSecond","secondsPerStep","gflops","peakBytes","losses":[..]} and more',
    )
    .option(
      "--compare [names]",
      "time all engines of this machine, or those named (native,wasm), one after the other",
    );
  for (const option of settingOptions(names)) made.addOption(option);
  return made
    .addHelpText(
      "after",
      `
GFLOP/s counts the products of matrices and attention, forward and backward, and nothing else. The
peak is that of all tensors during the first step. The parts of a step are measured on their own
afterwards; what the step takes beyond forward and backward is put down to the optimizer. On WebGPU
it also counts what a step asks of the device, and what asking takes; webgpu-stock has tfjs's own
kernels, to compare with.

--compare gives every engine the same settings, each in a process of its own, and says of the others
why they are not there. Left out unless they are named are cpu, which is for tests, and software
adapters of WebGPU. Without a flag about the model, the crops or the batch it takes a small step
(vit_tiny/8, 2 x 64 + 6 x 32, 1024 prototypes, batch 8), for wasm is slow at large ones. With --json it
prints {"settings","steps","engines":[{"backend","measured",..}]}.

Examples:
  dino bench --compare
  dino bench --compare native,tensorflow --precision bf16
  dino bench --compare webgpu,webgpu-stock
  dino bench --arch vit_tiny --patch-size 8 --global-crops-size 64 --local-crops-size 32 --backend wasm`,
    )
    .action((flags: BenchFlags) => bench(context, flags));
}

async function bench(context: Context, flags: BenchFlags): Promise<void> {
  const steps = flagValue("--steps", flags.steps, kinds.integer({ min: 1, max: 1000 })) ?? 3;
  const given = Object.fromEntries(
    names.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  );
  const layers = [environmentLayer(context.environment), flagLayer(given)];
  if (flags.compare !== undefined) return compare(context, flags, layers, steps);

  const settings = settingsOf(layers);
  const { screen } = context;
  const engine = await startEngine(settings.backend, settings.precision, settings.threads);
  screen.note(engine.line);
  const figures = await benchFigures(settings, engine, steps, (step) => {
    screen.draw(`step ${step + 1} of ${steps}`);
  });
  screen.draw("");
  if (flags.json) screen.result(jsonLine(figures));
  else for (const line of lines(figures, settings.batchSizePerGpu)) screen.result(line);
}

function settingsOf(layers: readonly Layer[]): Settings {
  const settings: Settings = {
    ...resolve(layers).settings,
    dropPathRate: 0,
    epochs: epochs(1),
    warmupEpochs: epochs(0),
    warmupTeacherTempEpochs: epochs(0),
    freezeLastLayer: epochs(0),
  };
  checkSettings(settings);
  return settings;
}

/** The figures in words. */
function lines(figures: BenchFigures, batch: number): readonly string[] {
  const { backend, precision, imagesPerSecond, secondsPerStep, gflops, losses } = figures;
  const parts = Object.entries(figures.seconds).map(
    ([name, time]) => `${name} ${significant(time)} s`,
  );
  return [
    `${significant(imagesPerSecond)} images/s, ${significant(secondsPerStep)} s a step of ${batch} (${backend}, ${precision})`,
    `${significant(gflops)} GFLOP/s, ${percent(figures.shareOfMatmul)} of its matMul's ${significant(figures.matmulGflops)}`,
    `peak ${bytes(figures.peakBytes)}, ${bytes(figures.peakBytesPerImage)} an image; ${bytes(figures.peakRssBytes)} the whole process`,
    parts.join(", "),
    ...gpuLines(figures),
    `losses ${losses.map((loss) => loss.toFixed(5)).join(", ")}`,
  ];
}

/** What a step asks of a GPU. */
function gpuLines({ gpu }: BenchFigures): readonly string[] {
  if (gpu === undefined) return [];
  const { dispatches, hostSecondsPerDispatch, bindGroups, submits, uploadedBytes } = gpu;
  const microseconds = significant(1e6 * hostSecondsPerDispatch);
  return [
    `${dispatches} dispatches a step, ${microseconds} µs of the host's each; ${bindGroups} new bind groups, ${submits} submits, ${bytes(uploadedBytes)} uploaded`,
  ];
}

async function compare(
  context: Context,
  flags: BenchFlags,
  layers: readonly Layer[],
  steps: number,
): Promise<void> {
  const { screen } = context;
  if (flags.backend !== undefined) {
    const hint = `--compare ${flags.backend}`;
    throw new UsageError(`--backend: expected none beside --compare (${hint} measures that one)`);
  }
  const sized = layers.some(({ values }) => sizes.some((name) => isSet(values, name)));
  const settings = settingsOf(sized ? layers : [comparedByDefault, ...layers]);
  const engines = await compareEngines({
    engines: typeof flags.compare === "string" ? flags.compare.split(/[\s,]+/) : undefined,
    precision: settings.precision,
    words: ["--steps", String(steps), ...words(settings)],
    onEngine: (name) => screen.note(`measuring ${name}`),
  });
  if (!engines.some(({ measured }) => measured)) context.exitCode = 1;
  if (flags.json) {
    const shown = sizes.map((name) => [flagOf(name), settings[name] ?? null]);
    screen.result(jsonLine({ settings: Object.fromEntries(shown), steps, engines }));
    return;
  }
  for (const line of comparison(engines)) screen.result(line);
}

/** Settings as flags. */
function words(settings: Settings): readonly string[] {
  return names.flatMap((name) => {
    if (settings[name] === undefined || name === "backend" || name === "precision") return [];
    const { kind } = table[name] as { readonly kind: { show(value: unknown): string } };
    return [`--${flagOf(name)}`, kind.show(settings[name])];
  });
}

/** A table with a line for each engine, the fastest first. */
function comparison(engines: readonly Compared[]): readonly string[] {
  const measured = engines
    .filter((engine) => engine.measured)
    .sort((a, b) => b.imagesPerSecond - a.imagesPerSecond);
  const header = [
    "engine",
    "",
    "images/s",
    "s/step",
    "GFLOP/s",
    "of its matMul",
    "peak",
    "process",
  ];
  const rows = measured.map((figures) => [
    figures.backend,
    figures.precision,
    significant(figures.imagesPerSecond),
    significant(figures.secondsPerStep),
    significant(figures.gflops),
    `${percent(figures.shareOfMatmul)} of ${significant(figures.matmulGflops)}`,
    bytes(figures.peakBytes),
    bytes(figures.peakRssBytes),
  ]);
  const widths = header.map((_, i) =>
    Math.max(...[header, ...rows].map((row) => (row[i] as string).length)),
  );
  const others = engines.flatMap((engine) => {
    if (engine.measured) return [];
    const install = engine.install === undefined ? "" : `; to have it: ${engine.install}`;
    return [`${engine.backend}: ${engine.reason}${install}`];
  });
  const aligned = [header, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join("  ")
      .trimEnd(),
  );
  return [...(rows.length > 0 ? aligned : []), ...others];
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
