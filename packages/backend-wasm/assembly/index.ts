export { gelu, geluBack, geluParts, relu, reluBack } from "./activation.ts";
export { attend, attendBack, attentionScratch, attentionWeights } from "./attention.ts";
export { crossEntropy, crossEntropyBack } from "./loss.ts";
export { addRuns, clear, copyRuns, transpose } from "./moves.ts";
export {
  layerNorm,
  layerNormAgain,
  layerNormBack,
  normedWeight,
  normedWeightBack,
  rowsTogether,
  unitRows,
  unitRowsBack,
} from "./norm.ts";
export { product, productScratch } from "./product.ts";
export { add, multiply, scaleRuns, sumRows } from "./rows.ts";
export { softmax } from "./softmax.ts";
export {
  adamW,
  descend,
  movingAverage,
  scale,
  squaredDirection,
  squaredNorm,
} from "./updates.ts";
export { addWindows, gatherWindows, maxPoolBack } from "./windows.ts";
