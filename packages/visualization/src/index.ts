export { type AttentionMaps, classAttention, type PatchGrid } from "./attention.ts";
export { type ConfusionChartOptions, confusionChart } from "./chart/confusion-chart.ts";
export { type LineChartOptions, lineChart, type Series } from "./chart/line-chart.ts";
export { type Color, palette } from "./color.ts";
export { type ColorHeadsOptions, colorHeads } from "./color-heads.ts";
export { type ColorMap, inferno, viridis } from "./color-map.ts";
export { type ContactSheetOptions, contactSheet } from "./contact-sheet.ts";
export { encodePng } from "./encode-png.ts";
export { type HeatmapOptions, heatmap } from "./heatmap.ts";
export { decodeLabelPng, encodeLabelPng, type Labels } from "./label-png.ts";
export { massMask } from "./mass-mask.ts";
export { type MaskOverlayOptions, maskOverlay, overlay } from "./overlay.ts";
export { normalize, upsample } from "./patch-map.ts";
export { patchAt, patchSimilarity } from "./patch-similarity.ts";
export { type PatchTokens, patchTokens } from "./patch-tokens.ts";
export {
  type PatchComponents,
  type PatchPca,
  type PatchPcaOptions,
  patchPca,
} from "./pca/patch-pca.ts";
export { type PcaColorsOptions, pcaColors } from "./pca/pca-colors.ts";
export { toTensor } from "./to-tensor.ts";
