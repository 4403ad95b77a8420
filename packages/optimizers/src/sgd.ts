import { sgd as update } from "@dino/ops";
import { type MomentumState, momentumOptimizer } from "./momentum.ts";
import type { Optimizer, OptimizerOptions } from "./optimizer.ts";

export interface SgdOptions extends OptimizerOptions {
  readonly momentum?: number;
}

/**
 * Gradient descent with momentum, as PyTorch has it: decay is part of the gradient, the first
 * direction is taken whole, the learning rate stays outside the buffer.
 */
export function sgd({ momentum = 0.9, decay }: SgdOptions = {}): Optimizer<MomentumState> {
  return momentumOptimizer((tensors, at) => update(tensors, { ...at, momentum }), decay);
}
