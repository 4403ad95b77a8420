import {
  type AdamWSettings,
  type AdamWUpdate,
  ema,
  type Params,
  adamWEach as updateEach,
} from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import {
  assertLike,
  type Due,
  due,
  type OnePassSettings,
  type Optimizer,
  type OptimizerOptions,
} from "./optimizer.ts";

export interface AdamWOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** By parameter name; a parameter that never had a gradient is absent. */
export type AdamWState = {
  /** Running mean of the gradient, the parameter's shape. */
  readonly moment1: Params;
  /** Running mean of its square. */
  readonly moment2: Params;
  /** How many updates a parameter has had. */
  readonly steps: Readonly<Record<string, number>>;
};

/** What AdamW is besides any optimizer: it clips gradients and moves averages in the same pass. */
export type AdamW = Optimizer<AdamWState> &
  Required<Pick<Optimizer<AdamWState>, "updateInOnePass">>;

/**
 * AdamW (Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101) with PyTorch's arithmetic:
 * decay first, epsilon after the bias correction, steps counted for each parameter.
 */
export function adamW({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  decay,
}: AdamWOptions = {}): AdamW {
  const updateInOnePass: AdamW["updateInOnePass"] = (params, gradients, state, at) => {
    const { clipNorm, averages } = at;
    assertOnePass(params, at);
    const updated: Record<string, tf.Tensor> = { ...params };
    const moments1: Record<string, tf.Tensor> = { ...state.moment1 };
    const moments2: Record<string, tf.Tensor> = { ...state.moment2 };
    const steps = { ...state.steps };
    const moved: Record<string, tf.Tensor> = {};
    const settingsOf = ({ name, settings }: Due): AdamWSettings => ({
      ...settings,
      beta1,
      beta2,
      epsilon,
      step: steps[name] as number,
      ...(clipNorm !== undefined && { clip: clipNorm }),
      ...(averages?.params[name] && { momentum: averages.momentum }),
    });
    const step = (some: readonly Due[]) => {
      const tensors = some.map(({ name, parameter, gradient }) => {
        steps[name] = (steps[name] ?? 0) + 1;
        const average = averages?.params[name];
        return {
          parameter,
          gradient,
          moment1: moments1[name] ?? tf.zerosLike(parameter),
          moment2: moments2[name] ?? tf.zerosLike(parameter),
          ...(average && { average }),
        };
      });
      const next = updateEach(tensors, some.map(settingsOf));
      some.forEach(({ name }, i) => {
        const { parameter, moment1, moment2, average } = next[i] as AdamWUpdate;
        updated[name] = parameter;
        moments1[name] = moment1;
        moments2[name] = moment2;
        if (average) moved[name] = average;
      });
    };
    const all = due(params, gradients, at, decay);
    // One by one at first: a parameter's moments come while its gradient goes.
    for (const one of all.filter(({ name }) => steps[name] === undefined)) step([one]);
    step(all.filter(({ name }) => name in state.steps));
    for (const [name, average] of Object.entries(averages?.params ?? {})) {
      const { momentum } = averages as Averages;
      moved[name] ??= ema(average, updated[name] as tf.Tensor, { momentum });
    }
    return {
      params: updated,
      state: { moment1: moments1, moment2: moments2, steps },
      averages: moved,
    };
  };

  return {
    init: () => ({ moment1: {}, moment2: {}, steps: {} }),

    update: (params, gradients, state, { learningRate, weightDecay }) => {
      const at = { learningRate, weightDecay };
      const next = updateInOnePass(params, gradients, state, at);
      return { params: next.params, state: next.state };
    },

    updateInOnePass,
  };
}

type Averages = NonNullable<OnePassSettings["averages"]>;

/** Before anything is consumed. */
function assertOnePass(params: Params, { clipNorm, averages }: OnePassSettings): void {
  if (clipNorm !== undefined && !(clipNorm > 0)) {
    throw new RangeError(`clipNorm: expected above 0, got ${clipNorm}`);
  }
  if (averages === undefined) return;
  const { momentum } = averages;
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new RangeError(`averages.momentum: expected from 0 to 1, got ${momentum}`);
  }
  assertLike("averages", averages.params, params);
}
