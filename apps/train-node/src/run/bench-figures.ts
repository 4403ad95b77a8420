import type { Precision } from "@dino/backend";
import { architectureOf } from "../model/architecture.ts";
import { stepFlops } from "../model/flops.ts";
import type { Settings } from "../settings/settings.ts";
import { type BenchResult, benchSteps, type GpuCalls, matmulGflops } from "./bench-step.ts";
import type { Engine } from "./engine.ts";

/** What `dino bench --json` prints. Bytes and seconds are a step's unless a name says otherwise. */
export interface BenchFigures {
  readonly backend: string;
  readonly precision: Precision;
  readonly imagesPerSecond: number;
  readonly secondsPerStep: number;
  readonly gflops: number;
  readonly gflopPerImage: number;
  readonly matmulGflops: number;
  readonly shareOfMatmul: number;
  readonly peakBytes: number;
  readonly peakBytesPerImage: number;
  /** The most that the process took up, with all that is not tensors. */
  readonly peakRssBytes: number;
  readonly seconds: BenchResult["seconds"];
  readonly losses: readonly number[];
  /** What a step asks of a GPU, where WebGPU is the engine. */
  readonly gpu?: GpuCalls;
}

/** Trains `steps` steps on random pictures, and counts. */
export async function benchFigures(
  settings: Settings,
  engine: Engine,
  steps: number,
  onStep: (step: number) => void,
): Promise<BenchFigures> {
  const matmul = await matmulGflops(engine.name);
  const { secondsPerStep, losses, peakBytes, seconds, gpu } = await benchSteps(
    settings,
    engine,
    steps,
    onStep,
  );
  const batch = settings.batchSizePerGpu;
  const flops = stepFlops(
    architectureOf(settings),
    { hidden: settings.hiddenDim, bottleneck: settings.bottleneckDim, prototypes: settings.outDim },
    {
      globals: 2,
      globalSize: settings.globalCropsSize,
      locals: settings.localCropsNumber,
      localSize: settings.localCropsSize,
    },
  );
  const gflops = (batch * flops) / secondsPerStep / 1e9;
  return {
    backend: engine.name,
    precision: engine.precision,
    imagesPerSecond: batch / secondsPerStep,
    secondsPerStep,
    gflops,
    gflopPerImage: flops / 1e9,
    matmulGflops: matmul,
    shareOfMatmul: gflops / matmul,
    peakBytes,
    peakBytesPerImage: peakBytes / batch,
    peakRssBytes: 1024 * process.resourceUsage().maxRSS,
    seconds,
    losses,
    ...(gpu && { gpu }),
  };
}
