export { type AdamW, type AdamWOptions, type AdamWState, adamW } from "./adam-w.ts";
export { type ClipOptions, clipGradients, gradientNorm, gradientNorms } from "./clip-gradients.ts";
export { isDecayed } from "./is-decayed.ts";
export { type LarsOptions, lars } from "./lars.ts";
export type { MomentumState } from "./momentum.ts";
export type {
  OnePassSettings,
  Optimizer,
  OptimizerOptions,
  UpdateSettings,
} from "./optimizer.ts";
export { type SgdOptions, sgd } from "./sgd.ts";
