import type { CropGroup, CropPlace } from "@dino/augmentations";
import { imageTensor } from "@dino/ops";
import type { Crops } from "../batches.ts";

/** The bytes of one step's crops, in memory that threads share; to be filled picture by picture. */
export interface CropBatch {
  /** Where the crops of the picture at `index` of the batch go. */
  place(index: number): CropPlace;
  /** The crops as tensors, which the caller owns. The bytes may be filled anew afterwards. */
  tensors(): Crops;
}

/** Room for the crops of `groups` of `batch` pictures. */
export function cropBatch(groups: readonly CropGroup[], batch: number): CropBatch {
  const blocks = groups.map(
    ({ size, views }) => new Uint8Array(new SharedArrayBuffer(3 * views * batch * size * size)),
  );
  return {
    place: (index) => ({ blocks, index, batch }),
    tensors: () =>
      groups.map(({ size, views }, group) =>
        imageTensor(blocks[group] as Uint8Array, [views * batch, size, size]),
      ),
  };
}
