import type { Random } from "@dino/random";
import type { Box } from "./pixels.ts";
import { assertRange, type Range } from "./range.ts";
import { roundHalfEven } from "./round.ts";

/** How much of a picture a random crop covers, and in what shape. */
export interface CropOptions {
  /** Share of the picture's area. */
  readonly scale: Range;
  /** Width over height. */
  readonly ratio: Range;
}

/**
 * A random box of a picture, as torchvision's `RandomResizedCrop` draws it: area uniform within
 * `scale`, the logarithm of the aspect ratio uniform within that of `ratio`, the place uniform. After
 * ten boxes that do not fit, the largest one in the middle whose ratio is within the range.
 */
export function sampleCrop(
  { width, height }: { readonly width: number; readonly height: number },
  { scale, ratio }: CropOptions,
  random: Random,
): Box {
  assertRange("scale", scale, 1);
  assertRange("ratio", ratio, Number.POSITIVE_INFINITY);
  const [narrowest, widest] = ratio;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * random.uniform(...scale);
    const shape = Math.exp(random.uniform(Math.log(narrowest), Math.log(widest)));
    const w = roundHalfEven(Math.sqrt(area * shape));
    const h = roundHalfEven(Math.sqrt(area / shape));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      const top = random.integer(0, height - h);
      return { top, left: random.integer(0, width - w), height: h, width: w };
    }
  }
  const shape = width / height;
  const w = shape > widest ? atLeastOne(height * widest) : width;
  const h = shape < narrowest ? atLeastOne(width / narrowest) : height;
  return {
    top: Math.floor((height - h) / 2),
    left: Math.floor((width - w) / 2),
    height: h,
    width: w,
  };
}

const atLeastOne = (length: number) => Math.max(roundHalfEven(length), 1);
