import { crop, resizeShortSide } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import { assertCount } from "../assert-count.ts";
import { DataError } from "../errors.ts";
import { decode } from "./decode.ts";

export interface ReadImageOptions {
  /** The length to bring the shorter side to, keeping the proportions; default: as it is. */
  readonly shortSide?: number;
  /** Right and bottom are cut so that width and height are multiples of this; default 1. */
  readonly multipleOf?: number;
}

/** The pixels of a picture file, upright. A `DataError` says why it cannot be read. */
export async function readImage(
  path: string,
  { shortSide, multipleOf = 1 }: ReadImageOptions = {},
): Promise<Pixels> {
  if (shortSide !== undefined) assertCount("shortSide", shortSide, 1);
  assertCount("multipleOf", multipleOf, 1);
  const whole = await decode(path, path);
  const picture = shortSide === undefined ? whole : resizeShortSide(whole, shortSide);
  const width = picture.width - (picture.width % multipleOf);
  const height = picture.height - (picture.height % multipleOf);
  if (width === 0 || height === 0) {
    throw new DataError(
      path,
      `${picture.width} x ${picture.height} pixels are less than one multiple of ${multipleOf}`,
    );
  }
  if (width === picture.width && height === picture.height) return picture;
  return crop(picture, { top: 0, left: 0, height, width });
}
