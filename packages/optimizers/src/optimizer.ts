import { assertShape, type Params } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { isDecayed } from "./is-decayed.ts";

/** What changes from step to step. */
export interface UpdateSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** What one pass over the parameters may take in besides the step. */
export interface OnePassSettings extends UpdateSettings {
  /** The norm to which each tensor's gradient is shortened first, above 0; without it none is. */
  readonly clipNorm?: number;
  /** Moving averages to move on to the new parameters. */
  readonly averages?: {
    /** By the names of the parameters that they are of, some or all; consumed. */
    readonly params: Params;
    /** How much of an average stays, from 0 to 1. */
    readonly momentum: number;
  };
}

/** What turns gradients into new parameters. Its state is by parameter name. */
export interface Optimizer<State> {
  /** The state before the first update. A parameter's own entries come with its first gradient. */
  init(params: Params): State;
  /**
   * One step. Consumes params, gradients and state: all three are disposed or handed on. A
   * parameter whose gradient is absent is left alone: no decay, no moments, no step count, which
   * is not what a gradient of zero would do.
   */
  update(
    params: Params,
    gradients: Params,
    state: State,
    at: UpdateSettings,
  ): { readonly params: Params; readonly state: State };
  /**
   * `clipGradients`, `update` and then `momentum * average + (1 - momentum) * parameter` to the bit,
   * but reading and writing every tensor once, where a backend can. A parameter without a gradient
   * stays, its average moves. Absent from an optimizer that cannot do so.
   */
  readonly updateInOnePass?: (
    params: Params,
    gradients: Params,
    state: State,
    at: OnePassSettings,
  ) => { readonly params: Params; readonly state: State; readonly averages: Params };
}

export interface OptimizerOptions {
  /** Whether weight decay acts on a parameter: on all but biases and 1-D ones, unless given. */
  readonly decay?: (name: string, parameter: tf.Tensor) => boolean;
}

/** A parameter that has a gradient, and its own settings. */
export interface Due {
  readonly name: string;
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly settings: UpdateSettings;
}

/** The parameters that have a gradient. An Error where one does not fit: nothing is consumed yet. */
export function due(
  params: Params,
  gradients: Params,
  at: UpdateSettings,
  decay: OptimizerOptions["decay"] = isDecayed,
): readonly Due[] {
  assertSettings(at);
  assertLike("gradients", gradients, params);
  const { learningRate, weightDecay } = at;
  return Object.entries(params).flatMap(([name, parameter]) => {
    const gradient = gradients[name];
    if (gradient === undefined) return [];
    const own = decay(name, parameter) ? weightDecay : 0;
    return [{ name, parameter, gradient, settings: { learningRate, weightDecay: own } }];
  });
}

function assertSettings({ learningRate, weightDecay }: UpdateSettings): void {
  for (const [name, value] of Object.entries({ learningRate, weightDecay })) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new RangeError(`${name}: expected a finite number of at least 0, got ${value}`);
  }
}

/** Throws unless each of `tensors` has a parameter of its name and shape. Call it before anything is consumed. */
export function assertLike(what: string, tensors: Params, params: Params): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    const parameter = params[name];
    if (parameter === undefined) {
      throw new Error(`${what}.${name}: expected a parameter of this name, got none`);
    }
    assertShape(`${what}.${name}`, tensor, parameter.shape);
  }
}
