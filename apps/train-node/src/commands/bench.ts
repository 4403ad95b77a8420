import type { Command } from "commander";
import { type Context, command } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { bytes, significant } from "../console/words.ts";
import { architectureOf } from "../model/architecture.ts";
import { stepFlops } from "../model/flops.ts";
import { benchSteps, matmulGflops } from "../run/bench-step.ts";
import { startEngine } from "../run/engine.ts";
import { checkSettings } from "../settings/check.ts";
import { epochs } from "../settings/duration.ts";
import { settingOptions } from "../settings/flags.ts";
import * as kinds from "../settings/kinds.ts";
import { environmentLayer, flagLayer, resolve } from "../settings/layers.ts";
import type { SettingName, Settings } from "../settings/settings.ts";
import { flagValue } from "./weights-options.ts";

/** What a step depends on; stochastic depth is off, which would make its work random. */
const names: readonly SettingName[] = [
  "arch",
  "patchSize",
  "embedDim",
  "depth",
  "numHeads",
  "outDim",
  "hiddenDim",
  "bottleneckDim",
  "normLastLayer",
  "useBnInHead",
  "globalCropsSize",
  "localCropsSize",
  "localCropsNumber",
  "optimizer",
  "batchSizePerGpu",
  "clipGrad",
  "seed",
  "backend",
  "precision",
  "microBatch",
];

interface BenchFlags extends Readonly<Partial<Record<SettingName, string>>> {
  readonly steps?: string;
  readonly json?: boolean;
}

export function benchCommand(context: Context): Command {
  const made = command("bench", "time one training step on seeded random pictures")
    .option("--steps <n>", "how many steps; the best counts (3)")
    .option(
      "--json",
      'print one line of JSON, {"backend","imagesPerSecond","secondsPerStep","gflops","peakBytes","losses":[..]} and more',
    );
  for (const option of settingOptions(names)) made.addOption(option);
  return made
    .addHelpText(
      "after",
      `
GFLOP/s counts the products of matrices and attention, forward and backward, and nothing else. The
peak is that of all tensors during the first step. The parts of a step are measured on their own
afterwards; what the step takes beyond forward and backward is put down to the optimizer.

Example:
  dino bench --arch vit_tiny --patch-size 8 --global-crops-size 64 --local-crops-size 32 --backend wasm`,
    )
    .action((flags: BenchFlags) => bench(context, flags));
}

async function bench({ screen, environment }: Context, flags: BenchFlags): Promise<void> {
  const steps = flagValue("--steps", flags.steps, kinds.integer({ min: 1, max: 1000 })) ?? 3;
  const given = Object.fromEntries(
    names.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  );
  const { settings: asked } = resolve([environmentLayer(environment), flagLayer(given)]);
  const settings: Settings = {
    ...asked,
    dropPathRate: 0,
    epochs: epochs(1),
    warmupEpochs: epochs(0),
    warmupTeacherTempEpochs: epochs(0),
    freezeLastLayer: epochs(0),
  };
  checkSettings(settings);
  const architecture = architectureOf(settings);
  const engine = await startEngine(settings.backend);
  screen.note(engine.line);

  const matmul = await matmulGflops(engine.name);
  const result = await benchSteps(settings, engine, steps, (step) => {
    screen.draw(`step ${step + 1} of ${steps}`);
  });
  screen.draw("");
  const { secondsPerStep, losses, peakBytes, seconds } = result;
  const batch = settings.batchSizePerGpu;
  const flops = stepFlops(
    architecture,
    { hidden: settings.hiddenDim, bottleneck: settings.bottleneckDim, prototypes: settings.outDim },
    {
      globals: 2,
      globalSize: settings.globalCropsSize,
      locals: settings.localCropsNumber,
      localSize: settings.localCropsSize,
    },
  );
  const gflops = (batch * flops) / secondsPerStep / 1e9;
  const figures = {
    backend: engine.name,
    imagesPerSecond: batch / secondsPerStep,
    secondsPerStep,
    gflops,
    gflopPerImage: flops / 1e9,
    matmulGflops: matmul,
    shareOfMatmul: gflops / matmul,
    peakBytes,
    peakBytesPerImage: peakBytes / batch,
    seconds,
    losses,
  };
  if (flags.json) {
    screen.result(jsonLine(figures));
    return;
  }
  const parts = Object.entries(seconds).map(([name, time]) => `${name} ${significant(time)} s`);
  screen.result(
    `${significant(figures.imagesPerSecond)} images/s, ${significant(secondsPerStep)} s a step of ${batch}`,
  );
  screen.result(
    `${significant(gflops)} GFLOP/s, ${Math.round(100 * figures.shareOfMatmul)} % of its matMul's ${significant(matmul)}`,
  );
  screen.result(`peak ${bytes(peakBytes)}, ${bytes(figures.peakBytesPerImage)} an image`);
  screen.result(parts.join(", "));
  screen.result(`losses ${losses.map((loss) => loss.toFixed(5)).join(", ")}`);
}
