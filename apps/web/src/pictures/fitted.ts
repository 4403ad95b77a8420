import { crop, resize } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";

/** The picture at about `side * side` pixels, in its proportions, cut to whole patches. */
export function fitted(picture: Pixels, side: number, patchSize: number): Pixels {
  const scale = side / Math.sqrt(picture.width * picture.height);
  const whole = (length: number) => Math.max(patchSize, Math.round(length * scale));
  const [width, height] = [whole(picture.width), whole(picture.height)];
  const resized = resize(picture, { width, height });
  return crop(resized, {
    ...centred("left", "width", width, patchSize),
    ...centred("top", "height", height, patchSize),
  });
}

function centred<Start extends string, Length extends string>(
  start: Start,
  length: Length,
  whole: number,
  patchSize: number,
): Record<Start | Length, number> {
  const kept = whole - (whole % patchSize);
  return { [start]: Math.floor((whole - kept) / 2), [length]: kept } as Record<
    Start | Length,
    number
  >;
}
