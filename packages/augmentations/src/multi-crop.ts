import { fold, random } from "@dino/random";
import { maxBlurRadius } from "./blur.ts";
import type { Filter } from "./filter.ts";
import { assertSize, assertWithin } from "./pixels.ts";
import { assertCount, assertProbability, assertRange, type Range } from "./range.ts";
import { sampleView } from "./sample-view.ts";
import type { ViewPolicy } from "./view-policy.ts";

/** Options of `multiCrop`. The defaults are the paper's. */
export interface MultiCropOptions {
  /** Side of the global crops, in pixels. */
  readonly global?: number;
  /** Side of the local crops, in pixels. */
  readonly local?: number;
  readonly globals?: number;
  readonly locals?: number;
  /** Share of the picture's area that a global crop covers. */
  readonly globalScale?: Range;
  readonly localScale?: Range;
  /** Width over height of the part that is cut out. */
  readonly ratio?: Range;
  /** What crops are resized by; bicubic when absent. */
  readonly filter?: Filter;
  /** Probability of the mirror image. */
  readonly flip?: number;
  readonly jitter?: JitterOptions;
  /** Probability of losing all colour. */
  readonly grey?: number;
  readonly blur?: BlurOptions;
  readonly solarize?: CropProbabilities;
}

/** How colours are changed: a factor of `1 - strength` to `1 + strength`, a hue of `-hue` to `hue`. */
export interface JitterOptions {
  readonly probability?: number;
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** Share of the colour circle, 0.5 at most. */
  readonly hue?: number;
}

/** A probability for each kind of crop: the two global crops of the paper are not treated alike. */
export interface CropProbabilities {
  /** For the first global crop. */
  readonly first?: number;
  /** For the other global crops. */
  readonly others?: number;
  readonly locals?: number;
}

export interface BlurOptions extends CropProbabilities {
  /** The radii that are drawn from, in pixels of the crop. */
  readonly radius?: Range;
}

/**
 * DINO's multi-crop (Caron et al. 2021, https://arxiv.org/abs/2104.14294): a few global crops that
 * show most of a picture, and local ones that show a part. Each is a random resized crop, perhaps
 * mirrored, its colours perhaps changed or lost; the first global crop is always blurred, the
 * others rarely blurred and sometimes solarized, the local ones blurred half the time.
 */
export function multiCrop(options: MultiCropOptions = {}): ViewPolicy {
  const {
    global = 224,
    local = 96,
    globals = 2,
    locals = 8,
    globalScale = [0.4, 1],
    localScale = [0.05, 0.4],
    ratio = [3 / 4, 4 / 3],
    filter,
    flip = 0.5,
    jitter: {
      probability: jitter = 0.8,
      brightness = 0.4,
      contrast = 0.4,
      saturation = 0.2,
      hue = 0.1,
    } = {},
    grey = 0.2,
    blur: {
      first: firstBlur = 1,
      others: otherBlur = 0.1,
      locals: localBlur = 0.5,
      radius = paperRadius,
    } = {},
    solarize: {
      first: firstSolarize = 0,
      others: otherSolarize = 0.2,
      locals: localSolarize = 0,
    } = {},
  } = options;
  assertSize("global", global);
  assertSize("local", local);
  assertSize("globals", globals);
  assertCount("locals", locals);
  assertRange("globalScale", globalScale, 1);
  assertRange("localScale", localScale, 1);
  assertRange("ratio", ratio, Number.POSITIVE_INFINITY);
  assertProbability("flip", flip);
  assertProbability("jitter.probability", jitter);
  assertWithin("jitter.brightness", brightness, 0, Number.POSITIVE_INFINITY);
  assertWithin("jitter.contrast", contrast, 0, Number.POSITIVE_INFINITY);
  assertWithin("jitter.saturation", saturation, 0, Number.POSITIVE_INFINITY);
  assertWithin("jitter.hue", hue, 0, 0.5);
  assertProbability("grey", grey);
  assertProbability("blur.first", firstBlur);
  assertProbability("blur.others", otherBlur);
  assertProbability("blur.locals", localBlur);
  assertRange("blur.radius", radius, maxBlurRadius);
  assertProbability("solarize.first", firstSolarize);
  assertProbability("solarize.others", otherSolarize);
  assertProbability("solarize.locals", localSolarize);

  const all = {
    ratio,
    filter,
    flip,
    jitter,
    strength: { brightness, contrast, saturation, hue },
    grey,
    radius,
  };
  const wide = { ...all, size: global, scale: globalScale };
  const first = { ...wide, blur: firstBlur, solarize: firstSolarize };
  const other = { ...wide, blur: otherBlur, solarize: otherSolarize };
  const near = { ...all, size: local, scale: localScale, blur: localBlur, solarize: localSolarize };

  return {
    options,
    groups: [
      { size: global, views: globals },
      ...(locals > 0 ? [{ size: local, views: locals }] : []),
    ],
    sample: (picture, key) => {
      assertSize("width", picture.width);
      assertSize("height", picture.height);
      return Array.from({ length: globals + locals }, (_, c) => {
        const kind = c >= globals ? near : c > 0 ? other : first;
        return sampleView(picture, kind, random(fold(key, c)));
      });
    },
  };
}

const paperRadius: Range = [0.1, 2];
