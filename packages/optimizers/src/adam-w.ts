import { type Params, adamW as update } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { type Optimizer, type OptimizerOptions, stepEach } from "./optimizer.ts";

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

/**
 * AdamW (Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101) with PyTorch's arithmetic:
 * decay first, epsilon after the bias correction, steps counted for each parameter.
 */
export function adamW({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  decay,
}: AdamWOptions = {}): Optimizer<AdamWState> {
  return {
    init: () => ({ moment1: {}, moment2: {}, steps: {} }),

    update: (params, gradients, state, at) => {
      const moments1: Record<string, tf.Tensor> = { ...state.moment1 };
      const moments2: Record<string, tf.Tensor> = { ...state.moment2 };
      const steps = { ...state.steps };
      const updated = stepEach(
        params,
        gradients,
        at,
        decay,
        (name, parameter, gradient, settings) => {
          const step = (steps[name] ?? 0) + 1;
          const moment1 = moments1[name] ?? tf.zerosLike(parameter);
          const moment2 = moments2[name] ?? tf.zerosLike(parameter);
          const next = update(
            { parameter, gradient, moment1, moment2 },
            { ...settings, beta1, beta2, epsilon, step },
          );
          tf.dispose([moment1, moment2]);
          moments1[name] = next.moment1;
          moments2[name] = next.moment2;
          steps[name] = step;
          return next.parameter;
        },
      );
      return { params: updated, state: { moment1: moments1, moment2: moments2, steps } };
    },
  };
}
