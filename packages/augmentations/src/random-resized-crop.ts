import type { Filter } from "./filter.ts";
import { multiCrop } from "./multi-crop.ts";
import { assertSize } from "./pixels.ts";
import { assertRange, type Range } from "./range.ts";
import type { ViewPolicy } from "./view-policy.ts";

/** Options of `randomResizedCrop`. The defaults are torchvision's. */
export interface RandomResizedCropOptions {
  /** Side of the crop, in pixels. Default 224. */
  readonly size?: number;
  /** Share of the picture's area that it covers. Default 0.08 to 1. */
  readonly scale?: Range;
  /** Width over height of the part that is cut out. Default 3/4 to 4/3. */
  readonly ratio?: Range;
  /** Default bilinear. */
  readonly filter?: Filter;
  /** Probability of the mirror image. Default 0.5. */
  readonly flip?: number;
}

/**
 * One random crop a picture, perhaps mirrored, its colours as they are: what classifiers are trained
 * on, and the linear probe of the DINO paper with them.
 */
export function randomResizedCrop({
  size = 224,
  scale = [0.08, 1],
  ratio = [3 / 4, 4 / 3],
  filter = "bilinear",
  flip = 0.5,
}: RandomResizedCropOptions = {}): ViewPolicy {
  assertSize("size", size);
  assertRange("scale", scale, 1);
  return multiCrop({
    global: size,
    globals: 1,
    locals: 0,
    globalScale: scale,
    ratio,
    filter,
    flip,
    jitter: { probability: 0 },
    grey: 0,
    blur: { first: 0 },
    solarize: { first: 0 },
  });
}
