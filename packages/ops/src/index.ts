export { kaimingNormal, truncatedNormal, uniform } from "./initializers.ts";
export {
  differentiable,
  type ForBackward,
  type ForGradient,
  kernel,
  type Operation,
} from "./operation.ts";
export { gelu } from "./operations/activations.ts";
export {
  type AttentionWeightsOptions,
  attention,
  attentionWeights,
} from "./operations/attention.ts";
export {
  type AttentionBlockAttributes,
  type AttentionBlockInputs,
  type AttentionBlockOptions,
  type AttentionBlockSaved,
  attentionBlock,
  type BlockOptions,
} from "./operations/attention-block.ts";
export {
  type BatchNormOptions,
  type BatchNormOutput,
  batchNormTraining,
} from "./operations/batch-norm.ts";
export {
  type ClassAttentionBlockSaved,
  classAttentionBlock,
} from "./operations/class-attention-block.ts";
export { type Conv2dOptions, conv2d } from "./operations/conv2d.ts";
export { dinoCrossEntropy } from "./operations/dino-cross-entropy.ts";
export { entropy } from "./operations/entropy.ts";
export { layerNorm } from "./operations/layer-norm.ts";
export { type Activation, type LinearOptions, linear } from "./operations/linear.ts";
export { type MaxPool2dOptions, maxPool2d } from "./operations/max-pool2d.ts";
export {
  type MlpBlockAttributes,
  type MlpBlockInputs,
  type MlpBlockSaved,
  mlpBlock,
} from "./operations/mlp-block.ts";
export {
  type MoveStatisticsOptions,
  moveStatistics,
  type RunningStatistics,
} from "./operations/move-statistics.ts";
export {
  type PatchEmbedOptions,
  type PatchEmbedParams,
  patchEmbed,
} from "./operations/patch-embed.ts";
export { classTokens, resample } from "./operations/tokens.ts";
export {
  type AdamWInputs,
  type AdamWSettings,
  type AdamWTensors,
  type AdamWUpdate,
  adamW,
  adamWEach,
  adamWTensors,
  clipByNorm,
  ema,
  type LarsSettings,
  lars,
  type MomentumTensors,
  type MomentumUpdate,
  type SgdSettings,
  sgd,
  squaredNorm,
  squaredNormOfAll,
} from "./operations/updates.ts";
export { l2Normalize, weightNormLinear } from "./operations/weight-norm.ts";
export { type Params, parameter, valueAndGradients, within, withPrefix } from "./params.ts";
export {
  imagenet,
  imageTensor,
  type Normalization,
  normalizationTable,
  type Pixels,
} from "./pixels.ts";
export { repairBackend } from "./repair/repair-backend.ts";
export { rowsOf, type Segment, sequencesOf } from "./segment.ts";
export { assertShape, ShapeError } from "./shape.ts";
export { stopGradient } from "./stop-gradient.ts";
