export { brightness, contrast, saturation } from "./blend.ts";
export { gaussianBlur } from "./blur.ts";
export { centerCrop, crop, flip } from "./crop.ts";
export { applyViews, type CropPlace, cropBlocks } from "./crop-blocks.ts";
export { evaluationView, resizeShortSide } from "./evaluation-view.ts";
export type { Filter } from "./filter.ts";
export { hue } from "./hue.ts";
export {
  type BlurOptions,
  type CropProbabilities,
  type JitterOptions,
  type MultiCropOptions,
  multiCrop,
} from "./multi-crop.ts";
export type { Box } from "./pixels.ts";
export { type RandomResizedCropOptions, randomResizedCrop } from "./random-resized-crop.ts";
export type { Range } from "./range.ts";
export { type ResizeOptions, resize } from "./resize.ts";
export { sampleBilinear } from "./sample-bilinear.ts";
export { type CropOptions, sampleCrop } from "./sample-crop.ts";
export { type ThumbnailOptions, thumbnail } from "./thumbnail.ts";
export { greyscale, solarize } from "./tone.ts";
export { applyView, type Jitter, type JitterStep, type View, writeView } from "./view.ts";
export type { CropGroup, ViewPolicy } from "./view-policy.ts";
export { type Seen, viewTensors } from "./view-tensors.ts";
