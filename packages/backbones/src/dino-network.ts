import { type Params, within, withPrefix } from "@dino/ops";
import { fold } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import type { Backbone, Crops, Module, Training } from "./backbone.ts";
import type { Head } from "./dino-head.ts";

/** A backbone with its head: what student and teacher are two of. */
export interface Network extends Module {
  readonly backbone: Backbone;
  readonly head: Head;
  readonly frozen: readonly string[];
  readonly buffers: readonly string[];
  /** Crops to logits in the order of the crops, `[crops, prototypes]`. */
  forward(params: Params, crops: Crops, mode?: Training): tf.Tensor2D;
}

/**
 * The multi-crop network: each size of crops goes through the backbone in one pass, or all sizes
 * at once where it can, and the head sees everything together. Parameters are named `backbone.*`
 * and `head.*`.
 */
export function dinoNetwork(backbone: Backbone, head: Head): Network {
  if (head.inputs !== backbone.embedDim) {
    throw new RangeError(
      `head: expected inputs of ${backbone.embedDim}, the width of ${backbone.name}, got ${head.inputs}`,
    );
  }
  const names = (list: "frozen" | "buffers") => [
    ...(backbone[list] ?? []).map((name) => `backbone.${name}`),
    ...head[list].map((name) => `head.${name}`),
  ];
  return {
    backbone,
    head,
    parameterShapes: {
      ...prefixed("backbone.", backbone.parameterShapes),
      ...prefixed("head.", head.parameterShapes),
    },
    frozen: names("frozen"),
    buffers: names("buffers"),

    init: (random) => ({
      ...withPrefix("backbone.", backbone.init(random)),
      ...withPrefix("head.", head.init(random)),
    }),

    forward: (params, crops, mode) =>
      tf.tidy(() => {
        if (crops.length === 0) {
          throw new Error("crops: expected at least one tensor of crops, got none");
        }
        const own = within(params, "backbone.");
        const told = reporting("backbone.", mode);
        const features = backbone.forwardCrops
          ? backbone.forwardCrops(own, crops, told)
          : forwardBySize(backbone, own, crops, told);
        return head.forward(within(params, "head."), features, reporting("head.", mode));
      }),
  };
}

function prefixed(
  prefix: string,
  shapes: Module["parameterShapes"],
): Record<string, readonly number[]> {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));
}

/** The mode of a part of the network, whose statistics are reported under its prefix. */
function reporting(prefix: string, mode: Training | undefined): Training | undefined {
  const onBuffers = mode?.onBuffers;
  if (!onBuffers) return mode;
  return { ...mode, onBuffers: (updates) => onBuffers(withPrefix(prefix, updates)) };
}

/** One pass for all crops of equal rows and columns; features in the order of the crops. */
function forwardBySize(
  backbone: Backbone,
  params: Params,
  crops: Crops,
  mode: Training | undefined,
): tf.Tensor2D {
  const features: tf.Tensor2D[] = [];
  const statistics = runningStatistics(params);
  [...indicesBySize(crops).values()].forEach((indices, pass) => {
    const some = indices.map((i) => crops[i] as tf.Tensor4D);
    const counts = some.map((images) => images.shape[0]);
    const y = backbone.forward(
      statistics.params(),
      some.length === 1 ? (some[0] as tf.Tensor4D) : tf.concat(some),
      mode && {
        ...mode,
        key: mode.key && fold(mode.key, pass),
        onBuffers: (updates) => {
          statistics.take(updates);
          mode.onBuffers?.(updates);
        },
      },
    );
    const parts = counts.length === 1 ? [y] : (tf.split(y, counts) as tf.Tensor2D[]);
    indices.forEach((index, i) => {
      features[index] = parts[i] as tf.Tensor2D;
    });
  });
  statistics.dispose();
  return features.length === 1 ? (features[0] as tf.Tensor2D) : tf.concat(features);
}

function indicesBySize(crops: Crops): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  crops.forEach(({ shape: [, rows, columns] }, i) => {
    const size = `${rows} x ${columns}`;
    groups.set(size, [...(groups.get(size) ?? []), i]);
  });
  return groups;
}

/** The parameters with the statistics that earlier passes left: each pass goes on from the last one's. */
function runningStatistics(params: Params) {
  let latest: Params = {};
  return {
    params: (): Params => ({ ...params, ...latest }),
    take: (updates: Params): void => {
      const kept = Object.entries(updates).map(
        ([name, x]) => [name, tf.keep(tf.clone(x))] as const,
      );
      for (const name of Object.keys(updates)) latest[name]?.dispose();
      latest = { ...latest, ...Object.fromEntries(kept) };
    },
    dispose: (): void => tf.dispose(latest),
  };
}
