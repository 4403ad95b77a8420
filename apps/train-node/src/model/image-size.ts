import { crop, resize, resizeShortSide } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import type { Kind } from "../settings/kinds.ts";

/** To what size a picture is brought: its shorter side, both sides, or neither. */
export type ImageSize =
  | { readonly shortSide: number }
  | { readonly rows: number; readonly columns: number }
  | "original";

/** `480`, `480,640` (rows, columns; the reference separates them by a space) or `original`. */
export const imageSize: Kind<ImageSize> = {
  placeholder: "n",
  expected: "a whole number of pixels from 1, two with a comma (rows,columns), or original",
  read: (text) => {
    if (text.trim().toLowerCase() === "original") return "original";
    const sides = text.trim().split(/\s*,\s*|\s+/);
    if (sides.length > 2 || !sides.every((side) => /^[1-9]\d{0,5}$/.test(side))) return undefined;
    const [first, second] = sides.map(Number) as [number, number | undefined];
    return second === undefined ? { shortSide: first } : { rows: first, columns: second };
  },
  show: (size) => {
    if (size === "original") return size;
    return "shortSide" in size ? String(size.shortSide) : `${size.rows},${size.columns}`;
  },
};

/** The shortest side that pictures of this size have; nothing where it is each picture's own. */
export function shortestSide(size: ImageSize): number | undefined {
  if (size === "original") return undefined;
  return "shortSide" in size ? size.shortSide : Math.min(size.rows, size.columns);
}

/** The picture at this size, its right and bottom cut to whole patches. */
export function fitPicture(picture: Pixels, size: ImageSize, patchSize: number): Pixels {
  return cutToPatches(resizePicture(picture, size), patchSize);
}

/** The picture at this size, whatever a patch is. */
export function resizePicture(picture: Pixels, size: ImageSize): Pixels {
  if (size === "original") return picture;
  if ("shortSide" in size) return resizeShortSide(picture, size.shortSide);
  return resize(picture, { width: size.columns, height: size.rows });
}

/** The whole patches of a picture. Throws a `RangeError` where there is none. */
function cutToPatches(picture: Pixels, patchSize: number): Pixels {
  const width = picture.width - (picture.width % patchSize);
  const height = picture.height - (picture.height % patchSize);
  if (width === 0 || height === 0) {
    throw new RangeError(
      `expected at least one patch of ${patchSize} x ${patchSize} pixels, got ${picture.width} x ${picture.height}`,
    );
  }
  if (width === picture.width && height === picture.height) return picture;
  return crop(picture, { top: 0, left: 0, height, width });
}
