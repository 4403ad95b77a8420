import type { Crops } from "@dino/backbones";
import type { CallCounts } from "@dino/backend-webgpu";
import { dinoLoss } from "@dino/loss";
import { imageTensor, type Params, valueAndGradients } from "@dino/ops";
import { fold, key, random } from "@dino/random";
import { fittingMicroBatch, type Trainer } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs-core";
import type { Settings } from "../settings/settings.ts";
import { studentTemperature } from "../settings/table.ts";
import { trainerOf } from "./assemble.ts";
import type { Engine } from "./engine.ts";

export interface BenchResult {
  /** The best step. */
  readonly secondsPerStep: number;
  readonly losses: readonly number[];
  /** The most that tensors took up at any moment of a step, weights included. */
  readonly peakBytes: number;
  /** Where the time of a step goes, each part measured on its own. */
  readonly seconds: {
    readonly data: number;
    readonly forward: number;
    readonly backward: number;
    readonly optimizer: number;
  };
  /** What a step asks of a GPU, where WebGPU is the engine. */
  readonly gpu?: GpuCalls;
}

/** What a step asks of a GPU by WebGPU, once all buffers are there. */
export interface GpuCalls extends CallCounts {
  /** What it takes the host to ask, for each dispatch, in the best of the steps. */
  readonly hostSecondsPerDispatch: number;
}

/** Trains a few steps on seeded random pictures, and takes the time. */
export async function benchSteps(
  settings: Settings,
  { name, memoryBytes }: Engine,
  steps: number,
  onStep: (step: number) => void,
): Promise<BenchResult> {
  // A run long enough that the learning rate stays where it starts.
  const trainer = trainerOf(settings, { perEpoch: 1000, steps: 1000 }, memoryBytes);
  const times: number[] = [];
  const losses: number[] = [];
  let data = Number.POSITIVE_INFINITY;
  let peakBytes = 0;
  for (let step = 0; step < steps; step++) {
    onStep(step);
    const started = tf.util.now();
    const crops = randomCrops(settings, step);
    const made = tf.util.now();
    const train = () => trainer.train(crops);
    // The first step is the slowest in any case: buffers are made and code is compiled.
    if (step === 0) peakBytes = await peakOf(train);
    else train();
    losses.push((await trainer.metrics()).loss);
    times.push((tf.util.now() - made) / 1000);
    data = Math.min(data, (made - started) / 1000);
  }
  const secondsPerStep = Math.min(...times);
  const gpu = name.startsWith("webgpu") ? await gpuCalls(trainer, settings, steps) : undefined;
  const { forward, backward } = await timeParts(settings, trainer, memoryBytes);
  trainer.dispose();
  const optimizer = Math.max(0, secondsPerStep - forward - backward);
  const parts = { data, forward, backward, optimizer };
  return { secondsPerStep, losses, peakBytes, seconds: parts, ...(gpu && { gpu }) };
}

/** Counts the calls of one more step, and times those of a few others, of which the best counts. */
async function gpuCalls(trainer: Trainer, settings: Settings, steps: number): Promise<GpuCalls> {
  const { countCalls } = await import("@dino/backend-webgpu");
  const counting = countCalls(); // pictures are uploaded on the way
  trainer.train(randomCrops(settings, 0));
  const counts = counting.stop();
  await trainer.metrics();
  let seconds = Number.POSITIVE_INFINITY;
  for (let step = 0; step < steps; step++) {
    const crops = randomCrops(settings, 0);
    const started = tf.util.now();
    trainer.train(crops); // reads nothing back, so nobody waits for the device in it
    seconds = Math.min(seconds, (tf.util.now() - started) / 1000);
    await trainer.metrics();
  }
  return { ...counts, hostSecondsPerDispatch: seconds / counts.dispatches };
}

/** Pictures of random bytes: the same on every engine. */
export function randomCrops(settings: Settings, step: number): Crops {
  const { batchSizePerGpu: batch, globalCropsSize, localCropsSize, localCropsNumber } = settings;
  const groups = [
    { views: 2, size: globalCropsSize },
    { views: localCropsNumber, size: localCropsSize },
  ].filter(({ views }) => views > 0);
  return groups.map(({ views, size }, group) => {
    const stream = random(fold(key(settings.seed), step, group));
    const pictures = views * batch;
    const data = Uint8Array.from({ length: 3 * pictures * size * size }, () =>
      stream.integer(0, 255),
    );
    return imageTensor(data, [pictures, size, size]);
  });
}

/** The most bytes that tensors took up while `run` ran. */
async function peakOf(run: () => void): Promise<number> {
  tf.env().set("CHECK_COMPUTATION_FOR_ERRORS", false); // would read every result back
  const { peakBytes } = await tf.profile(() => {
    run();
    return [];
  });
  return peakBytes;
}

/** Seconds of both networks' forward passes and of the backward pass, outside of a step. */
async function timeParts(
  settings: Settings,
  { network, student, teacher }: Trainer,
  memoryBytes: number | undefined,
): Promise<{ readonly forward: number; readonly backward: number }> {
  const { batchSizePerGpu: batch, outDim } = settings;
  const all = randomCrops(settings, 0);
  const part = settings.microBatch ?? fittingMicroBatch(network, all, batch, memoryBytes);
  tf.dispose([...all]);
  const count = Math.min(part, batch);
  const scale = batch / count;
  const crops = randomCrops({ ...settings, batchSizePerGpu: count }, 0);
  const loss = dinoLoss({ prototypes: outDim, studentTemperature });
  const frozen = new Set([...network.frozen, ...network.buffers]);
  const trained = Object.fromEntries(Object.entries(student).filter(([name]) => !frozen.has(name)));

  const forward = (params: Params, some: Crops) =>
    tf.reshape(network.forward(params, some), [-1, count, outDim]) as tf.Tensor3D;
  const seconds = async (run: () => tf.TensorContainer) => {
    const started = tf.util.now();
    const result = tf.tidy(run);
    const [first] = tf.util.flatten([Object.values(result as object)]) as unknown as tf.Tensor[];
    await first?.data();
    tf.dispose(result);
    return (tf.util.now() - started) / 1000;
  };
  const teach = await seconds(() => ({ logits: forward(teacher, crops.slice(0, 1)) }));
  const learn = await seconds(() => ({ logits: forward(student, crops) }));
  const targets = tf.tidy(() => tf.softmax(forward(teacher, crops.slice(0, 1)))) as tf.Tensor3D;
  const both = await seconds(() => {
    const { value, gradients } = valueAndGradients(trained, (params) =>
      loss.applyTargets(forward({ ...student, ...params }, crops), targets),
    );
    return { ...gradients, value };
  });
  tf.dispose([...crops, targets]);
  return { forward: scale * (teach + learn), backward: scale * Math.max(0, both - learn) };
}

/** GFLOP/s of the engine's matrix product, the best of a few. */
export async function matmulGflops(engine: string): Promise<number> {
  const size = engine === "cpu" ? 256 : 1024;
  const [a, b] = [tf.randomUniform([size, size]), tf.randomUniform([size, size])];
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const started = tf.util.now();
    const product = tf.matMul(a, b);
    await product.data();
    product.dispose();
    best = Math.min(best, (tf.util.now() - started) / 1000);
  }
  tf.dispose([a, b]);
  return (2 * size ** 3) / best / 1e9;
}
