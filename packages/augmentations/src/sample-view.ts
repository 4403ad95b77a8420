import type { Random } from "@dino/random";
import type { Filter } from "./filter.ts";
import type { Range } from "./range.ts";
import { type CropOptions, sampleCrop } from "./sample-crop.ts";
import type { Jitter, JitterStep, View } from "./view.ts";

/** How crops of one kind are drawn. Numbers that are not sizes or ranges are probabilities. */
export interface ViewKind extends CropOptions {
  readonly size: number;
  readonly filter?: Filter | undefined;
  readonly flip: number;
  readonly jitter: number;
  readonly strength: Readonly<Record<JitterStep, number>>;
  readonly grey: number;
  readonly blur: number;
  /** The radii of the blur. */
  readonly radius: Range;
  readonly solarize: number;
}

/** A random view of a picture, of its kind. */
export function sampleView(
  picture: { readonly width: number; readonly height: number },
  kind: ViewKind,
  random: Random,
): View {
  const happens = (probability: number) => random.uniform() < probability;
  // Evaluated from top to bottom, which is the order of the draws.
  return {
    size: kind.size,
    crop: sampleCrop(picture, kind, random),
    ...(kind.filter && { filter: kind.filter }),
    flip: happens(kind.flip),
    jitter: happens(kind.jitter) ? sampleJitter(kind.strength, random) : null,
    grey: happens(kind.grey),
    blur: happens(kind.blur) ? random.uniform(...kind.radius) : null,
    solarize: happens(kind.solarize),
  };
}

const steps = ["brightness", "contrast", "saturation", "hue"] as const;

/** Changes of no strength are left out: even a hue turned by 0 would lose a little on its way. */
function sampleJitter(strength: ViewKind["strength"], random: Random): Jitter {
  const factor = (most: number) => random.uniform(Math.max(1 - most, 0), 1 + most);
  const order = [...random.permutation(steps.length)].map((i) => steps[i] as JitterStep);
  return {
    order: order.filter((step) => strength[step] > 0),
    brightness: factor(strength.brightness),
    contrast: factor(strength.contrast),
    saturation: factor(strength.saturation),
    hue: random.uniform(-strength.hue, strength.hue),
  };
}
