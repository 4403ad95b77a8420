import type { AdamWSettings, AdamWTensors } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import { type AdamWOptions, adamWProgram, elementsOfGroup } from "../shaders/updates.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { sizeOf } from "./size-of.ts";
import { isSmall, traceSquares } from "./squares.ts";
import { partialSquares } from "./sums.ts";

const program = remembered(adamWProgram);

/** What takes the place of a parameter, of its moments and of its average, if it has one. */
type Updated = tf.TensorInfo[];

/** One update in place, in one dispatch beside that of the norm. */
export function adamWOfOne(
  backend: DinoWebGPUBackend,
  { gradient, ...tensors }: AdamWTensors,
  settings: AdamWSettings,
): Updated {
  const clips = settings.clip !== undefined;
  const squares = clips ? partialSquares(backend, gradient) : undefined;
  const updated = written(tensors).map((tensor) => backend.inPlace(tensor));
  const averages = tensors.average !== undefined;
  record(
    backend,
    { clips, averages },
    [gradient, ...(squares ? [squares] : [])],
    updated,
    settings,
  );
  if (squares) backend.free(squares);
  return updated;
}

/**
 * Updates of many parameters: one by one where they are large, and the small ones whose settings are
 * the same in one dispatch. What is kept of those lies in rows from then on.
 */
export function adamWOfEach(
  backend: DinoWebGPUBackend,
  all: readonly AdamWTensors[],
  settings: readonly AdamWSettings[],
): Updated[] {
  const updated: Updated[] = [];
  for (const group of together(all, settings)) {
    const own = group.map((i) => all[i] as AdamWTensors);
    const common = settings[group[0] as number] as AdamWSettings;
    const results =
      own.length === 1
        ? [adamWOfOne(backend, own[0] as AdamWTensors, common)]
        : adamWInRow(backend, own, common);
    group.forEach((i, at) => {
      updated[i] = results[at] as Updated;
    });
  }
  return updated;
}

/** The numbers of the parameters, those together that are updated in one dispatch. */
function together(
  all: readonly AdamWTensors[],
  settings: readonly AdamWSettings[],
): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  all.forEach(({ parameter, average }, i) => {
    const key = isSmall(parameter)
      ? `${Object.values(settings[i] as AdamWSettings)} ${average === undefined}`
      : `alone ${i}`;
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  });
  return [...groups.values()];
}

function adamWInRow(
  backend: DinoWebGPUBackend,
  all: readonly AdamWTensors[],
  settings: AdamWSettings,
): Updated[] {
  const gradients = all.map(({ gradient }) => gradient);
  // Norms have packed them already, unless nobody asked, or for more than these.
  let packed = packedOf(backend, gradients);
  if (packed === undefined) {
    backend.free(traceSquares(backend, gradients));
    packed = packedOf(backend, gradients) as tf.TensorInfo;
  }
  const clips = settings.clip !== undefined;
  const names = written(all[0] as AdamWTensors).length;
  const rows = Array.from({ length: names }, (_, name) =>
    backend.inRow(all.map((tensors) => written(tensors)[name] as tf.TensorInfo)),
  );
  const averages = names > 3;
  const wholes = rows.map(({ whole }) => whole);
  record(backend, { clips, averages, inRow: true }, [packed], wholes, settings);
  backend.free(...wholes);
  return all.map((_, i) => rows.map(({ parts }) => parts[i] as tf.TensorInfo));
}

/** The row in which copies of all these lie with the squares behind them, and nothing else. */
function packedOf(
  backend: DinoWebGPUBackend,
  gradients: readonly tf.TensorInfo[],
): tf.TensorInfo | undefined {
  const traces = gradients.map((gradient) => backend.tracesOf(gradient));
  const parts = [...traces.map((own) => own?.copy), traces[0]?.squaresOfStrides];
  return parts.every((part) => part !== undefined) ? backend.rowOf(parts) : undefined;
}

function written({ parameter, moment1, moment2, average }: Omit<AdamWTensors, "gradient">) {
  return [parameter, moment1, moment2, ...(average ? [average] : [])];
}

function record(
  backend: DinoWebGPUBackend,
  options: AdamWOptions,
  reads: readonly tf.TensorInfo[],
  writes: readonly tf.TensorInfo[],
  { learningRate, weightDecay, beta1, beta2, epsilon, step, clip, momentum = 0 }: AdamWSettings,
): void {
  backend.run(program(options), {
    reads,
    writes,
    scalars: {
      keeps: 1 - learningRate * weightDecay,
      beta1,
      beta2,
      rest1: 1 - beta1,
      rest2: 1 - beta2,
      rate: learningRate / (1 - beta1 ** step),
      root: Math.sqrt(1 - beta2 ** step),
      epsilon,
      clip: clip ?? 0,
      momentum,
      restOfMomentum: 1 - momentum,
    },
    groups: Math.ceil(sizeOf(writes[0] as tf.TensorInfo) / elementsOfGroup),
  });
}
