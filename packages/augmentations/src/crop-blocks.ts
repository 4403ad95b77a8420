import type { Pixels } from "@dino/ops";
import { holding } from "./held-picture.ts";
import { assertSize } from "./pixels.ts";
import { type View, writeView } from "./view.ts";
import type { CropGroup } from "./view-policy.ts";

/** Where the crops of one picture of a batch go. */
export interface CropPlace {
  /** A block for each group of crops, RGB bytes: `[views * batch, size, size, 3]`, crop-major. */
  readonly blocks: readonly Uint8Array[];
  /** The picture's place in its batch. */
  readonly index: number;
  readonly batch: number;
}

/** Empty blocks for the crops of a batch, one for each group: `[views * batch, size, size, 3]`. */
export function cropBlocks(groups: readonly CropGroup[], batch: number): Uint8Array[] {
  assertSize("batch", batch);
  return groups.map(({ size, views }) => new Uint8Array(3 * views * batch * size * size));
}

/**
 * Writes all crops of one picture to their places in the blocks of its batch: crop `v` of picture
 * `i` is row `v * batch + i`. The blocks may lie on memory that workers share.
 */
export function applyViews(
  picture: Pixels,
  views: readonly View[],
  { blocks, index, batch }: CropPlace,
): void {
  assertSize("batch", batch);
  if (!Number.isSafeInteger(index) || index < 0 || index >= batch) {
    throw new RangeError(`index: expected an integer from 0 to ${batch - 1}, got ${index}`);
  }
  const done = holding(picture, () => {
    let done = 0;
    for (const block of blocks) {
      const bytes = 3 * (views[done]?.size ?? 0) ** 2;
      const room = block.length / (bytes * batch);
      if (!Number.isSafeInteger(room)) {
        throw new RangeError(
          `blocks: expected whole crops of ${bytes} bytes for ${batch} pictures, got ${block.length} bytes`,
        );
      }
      for (const [v, view] of views.slice(done, done + room).entries()) {
        const start = (v * batch + index) * bytes;
        writeView(picture, view, block.subarray(start, start + bytes));
      }
      done += room;
    }
    return done;
  });
  if (done !== views.length) {
    throw new RangeError(`blocks: expected room for ${views.length} views, got room for ${done}`);
  }
}
