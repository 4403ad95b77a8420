import type { MomentumTensors, MomentumUpdate, Params } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { due, type Optimizer, type OptimizerOptions, type UpdateSettings } from "./optimizer.ts";

/** By parameter name; a parameter that never had a gradient is absent. */
export type MomentumState = {
  /** The decaying sum of a parameter's past directions, its shape. */
  readonly buffers: Params;
};

/** An optimizer that remembers one buffer a parameter. */
export function momentumOptimizer(
  update: (tensors: MomentumTensors, settings: UpdateSettings) => MomentumUpdate,
  decay: OptimizerOptions["decay"],
): Optimizer<MomentumState> {
  return {
    init: () => ({ buffers: {} }),

    update: (params, gradients, state, at) => {
      const buffers: Record<string, tf.Tensor> = { ...state.buffers };
      const updated: Record<string, tf.Tensor> = { ...params };
      for (const { name, parameter, gradient, settings } of due(params, gradients, at, decay)) {
        const buffer = buffers[name];
        const next = update(
          buffer ? { parameter, gradient, buffer } : { parameter, gradient },
          settings,
        );
        buffers[name] = next.buffer;
        updated[name] = next.parameter;
      }
      return { params: updated, state: { buffers } };
    },
  };
}
