import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, kernel } from "../operation.ts";

// An update consumes what it replaces, so that a backend may write the results into that memory:
// its kernel then gives the same memory again, once more counted, unless another tensor shares it.

/** One parameter and what AdamW remembers of it; all of one shape. */
export type AdamWTensors = {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  /** Running mean of the gradient. */
  readonly moment1: tf.Tensor;
  /** Running mean of its square. */
  readonly moment2: tf.Tensor;
  /** A moving average of the parameter, to be moved on in the same pass. */
  readonly average?: tf.Tensor;
};

/** What takes the place of an AdamW update's tensors. */
export type AdamWUpdate = Omit<AdamWTensors, "gradient">;

export interface AdamWSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** How many updates this parameter has had, this one included: from 1. */
  readonly step: number;
  /** The norm to which a longer gradient is shortened first, as `clipByNorm` does. */
  readonly clip?: number;
  /** How much of the average stays; needed where there is one. */
  readonly momentum?: number;
}

const adamWKernel = kernel<AdamWTensors, AdamWSettings>(
  "AdamW",
  ({ parameter, moment1, moment2, average, ...tensors }, settings) => {
    const { learningRate, weightDecay, beta1, beta2, epsilon, step, clip, momentum } = settings;
    const gradient = clip === undefined ? tensors.gradient : shortened(tensors.gradient, clip);
    const decayed = tf.mul(parameter, 1 - learningRate * weightDecay);
    const first = tf.add(tf.mul(moment1, beta1), tf.mul(gradient, 1 - beta1));
    const second = tf.add(tf.mul(moment2, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const spread = tf.add(tf.div(tf.sqrt(second), Math.sqrt(1 - beta2 ** step)), epsilon);
    const change = tf.div(tf.mul(first, learningRate / (1 - beta1 ** step)), spread);
    const next = tf.sub(decayed, change);
    if (average === undefined) return [next, first, second];
    return [next, first, second, movedTo(next, average, momentum as number)];
  },
);

/**
 * One AdamW update (Loshchilov and Hutter 2017) with PyTorch's arithmetic: decay first, epsilon
 * after the bias correction. With `clip` the gradient is clipped before, with `average` the moving
 * average takes the new parameter in after. Consumes all the tensors.
 */
export function adamW(tensors: AdamWTensors, settings: AdamWSettings): AdamWUpdate {
  assertMomentum(tensors, settings);
  const updated = adamWKernel(tensors, settings);
  tf.dispose(tensors);
  return named(updated);
}

function assertMomentum({ average }: AdamWTensors, { momentum }: AdamWSettings): void {
  if (average === undefined || momentum !== undefined) return;
  throw new RangeError("momentum: expected a number from 0 to 1 for the average, got undefined");
}

function named([parameter, moment1, moment2, average]: readonly tf.Tensor[]): AdamWUpdate {
  const next = { parameter, moment1, moment2 };
  return (average ? { ...next, average } : next) as AdamWUpdate;
}

/** What the kernel of many updates gets: a tensor's name, and behind it the update's number from 0. */
export type AdamWInputs = Readonly<Record<string, tf.Tensor>>;

const adamWTensorNames = ["parameter", "gradient", "moment1", "moment2", "average"] as const;

/** The tensors of `updates` updates from what their kernel gets. */
export function adamWTensors(inputs: AdamWInputs, updates: number): readonly AdamWTensors[] {
  return Array.from({ length: updates }, (_, i) => {
    const own = adamWTensorNames.flatMap((name) => {
      const tensor = inputs[`${name}${i}`];
      return tensor ? [[name, tensor] as const] : [];
    });
    return Object.fromEntries(own) as unknown as AdamWTensors;
  });
}

/**
 * `adamW` of many parameters, each with settings of its own. A backend may do it in few passes by a
 * kernel `DinoAdamWEach`; where it has none, they are updated one after the other, so that no more
 * than one parameter is there twice.
 */
export function adamWEach(
  all: readonly AdamWTensors[],
  settings: readonly AdamWSettings[],
): readonly AdamWUpdate[] {
  if (settings.length !== all.length) {
    throw new RangeError(`settings: expected ${all.length}, one for each, got ${settings.length}`);
  }
  const at = (i: number) => settings[i] as AdamWSettings;
  if (!hasKernel("AdamWEach")) return all.map((tensors, i) => adamW(tensors, at(i)));
  const inputs: Record<string, tf.Tensor> = {};
  all.forEach((tensors, i) => {
    assertMomentum(tensors, at(i));
    for (const [name, tensor] of Object.entries(tensors)) inputs[`${name}${i}`] = tensor;
  });
  const updated = tf
    .engine()
    .runKernel<tf.Tensor[]>("DinoAdamWEach", inputs, { settings } as unknown as tf.NamedAttrMap);
  tf.dispose(inputs);
  let taken = 0;
  return all.map(({ average }) => {
    const begun = taken;
    taken += average ? 4 : 3;
    return named(updated.slice(begun, taken));
  });
}

/** One parameter and its momentum buffer, absent before the first update. */
export type MomentumTensors = {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly buffer?: tf.Tensor;
};

export interface SgdSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly momentum: number;
}

export type MomentumUpdate = {
  readonly parameter: tf.Tensor;
  readonly buffer: tf.Tensor;
};

const sgdKernel = kernel<MomentumTensors, SgdSettings>(
  "Sgd",
  ({ parameter, gradient, buffer }, { learningRate, weightDecay, momentum }) => {
    const direction = tf.add(gradient, tf.mul(parameter, weightDecay));
    const next = buffer ? tf.add(tf.mul(buffer, momentum), direction) : direction;
    return [tf.sub(parameter, tf.mul(next, learningRate)), next];
  },
);

/**
 * One step of gradient descent with momentum and coupled decay, PyTorch's: no dampening, no
 * Nesterov. Consumes all the tensors.
 */
export function sgd(tensors: MomentumTensors, settings: SgdSettings): MomentumUpdate {
  const [parameter, buffer] = sgdKernel(present(tensors), settings) as tf.Tensor[];
  tf.dispose(tensors);
  return { parameter, buffer } as MomentumUpdate;
}

export interface LarsSettings extends SgdSettings {
  /** How far one update may go, relative to the parameter's norm. */
  readonly trust: number;
}

const larsKernel = kernel<MomentumTensors, LarsSettings>(
  "Lars",
  ({ parameter, gradient, buffer }, { learningRate, weightDecay, momentum, trust }) => {
    const direction =
      parameter.rank === 1 ? gradient : adapted(parameter, gradient, weightDecay, trust);
    const next = buffer ? tf.add(tf.mul(buffer, momentum), direction) : direction;
    return [tf.sub(parameter, tf.mul(next, learningRate)), tf.clone(next)];
  },
);

function adapted(
  parameter: tf.Tensor,
  gradient: tf.Tensor,
  weightDecay: number,
  trust: number,
): tf.Tensor {
  const direction = tf.add(gradient, tf.mul(parameter, weightDecay));
  const size = tf.sqrt(tf.sum(tf.square(parameter)));
  const slope = tf.sqrt(tf.sum(tf.square(direction)));
  const both = tf.logicalAnd(tf.greater(size, 0), tf.greater(slope, 0));
  const ratio = tf.div(tf.mul(size, trust), tf.maximum(slope, Number.MIN_VALUE));
  return tf.mul(direction, tf.where(both, ratio, tf.onesLike(ratio)));
}

/**
 * One LARS update (You et al. 2017) as the reference has it: 1-D parameters are neither decayed
 * nor adapted. Consumes all the tensors.
 */
export function lars(tensors: MomentumTensors, settings: LarsSettings): MomentumUpdate {
  const [parameter, buffer] = larsKernel(present(tensors), settings) as tf.Tensor[];
  tf.dispose(tensors);
  return { parameter, buffer } as MomentumUpdate;
}

/** Without the buffer when there is none: a kernel's inputs are tensors. */
function present({ parameter, gradient, buffer }: MomentumTensors): MomentumTensors {
  return buffer ? { parameter, gradient, buffer } : { parameter, gradient };
}

const emaKernel = kernel<
  { readonly average: tf.Tensor; readonly value: tf.Tensor },
  { readonly momentum: number }
>("Ema", ({ average, value }, { momentum }) => [movedTo(value, average, momentum)]);

function movedTo(value: tf.Tensor, average: tf.Tensor, momentum: number): tf.Tensor {
  return tf.add(tf.mul(average, momentum), tf.mul(value, 1 - momentum));
}

/**
 * The exponential moving average after one more value: `momentum * average + (1 - momentum) * value`.
 * Consumes the average; the value stays the caller's.
 */
export function ema<T extends tf.Tensor>(
  average: T,
  value: T,
  { momentum }: { readonly momentum: number },
): T {
  const next = emaKernel({ average, value }, { momentum })[0] as T;
  average.dispose();
  return next;
}

const clipKernel = kernel<{ readonly gradient: tf.Tensor }, { readonly maximum: number }>(
  "ClipByNorm",
  ({ gradient }, { maximum }) => [shortened(gradient, maximum)],
);

function shortened(gradient: tf.Tensor, maximum: number): tf.Tensor {
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  return tf.mul(gradient, tf.minimum(tf.div(maximum, tf.add(norm, 1e-6)), 1));
}

/** The gradient, shortened to the norm `maximum` where it is longer. Consumes it; nothing is read back. */
export function clipByNorm<T extends tf.Tensor>(
  gradient: T,
  { maximum }: { readonly maximum: number },
): T {
  const clipped = clipKernel({ gradient }, { maximum })[0] as T;
  gradient.dispose();
  return clipped;
}

const squaredNormKernel = kernel<{ readonly x: tf.Tensor }, Record<never, never>>(
  "SquaredNorm",
  ({ x }) => [tf.sum(tf.square(x))],
);

/** The sum of the squares of all elements. */
export function squaredNorm(x: tf.Tensor): tf.Scalar {
  return squaredNormKernel({ x }, {})[0] as tf.Scalar;
}

const squaredNormOfAllKernel = kernel<Readonly<Record<string, tf.Tensor>>, Record<never, never>>(
  "SquaredNormOfAll",
  (tensors) => [tf.addN(Object.values(tensors).map(squaredNorm))],
);

/** The sum of the squares of all elements of all these tensors: 0 of none. */
export function squaredNormOfAll(tensors: readonly tf.Tensor[]): tf.Scalar {
  if (tensors.length === 0) return tf.scalar(0);
  return squaredNormOfAllKernel(Object.fromEntries(tensors.entries()), {})[0] as tf.Scalar;
}
