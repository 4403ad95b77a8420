import type { PatchGrid } from "./attention.ts";

/**
 * The whole patches of a picture. Sides that are no multiples of the patch leave a rest at the
 * right and bottom. Throws a `RangeError` where there is not one patch.
 */
export function pictureGrid(
  picture: { readonly width: number; readonly height: number },
  patchSize: number,
): PatchGrid {
  const rows = Math.floor(picture.height / patchSize);
  const columns = Math.floor(picture.width / patchSize);
  if (rows * columns >= 1) return { rows, columns, patchSize };
  throw new RangeError(
    `picture: expected at least one patch of ${patchSize} x ${patchSize}, got ${picture.width} x ${picture.height}`,
  );
}
