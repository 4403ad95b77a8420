import { lars as update } from "@dino/ops";
import { type MomentumState, momentumOptimizer } from "./momentum.ts";
import type { Optimizer, OptimizerOptions } from "./optimizer.ts";

export interface LarsOptions extends OptimizerOptions {
  readonly momentum?: number;
  /** How far one update may go, relative to the parameter's norm and before the learning rate. */
  readonly trust?: number;
}

/**
 * LARS (You et al. 2017, https://arxiv.org/abs/1708.03888) as DINO's reference has it: for large
 * batches and convolutional networks. 1-D parameters are neither decayed nor adapted, whatever
 * `decay` says.
 */
export function lars({
  momentum = 0.9,
  trust = 0.001,
  decay,
}: LarsOptions = {}): Optimizer<MomentumState> {
  return momentumOptimizer((tensors, at) => update(tensors, { ...at, momentum, trust }), decay);
}
