import { type CropGroup, type Seen, viewTensors } from "@dino/augmentations";
import { imageTensor } from "@dino/ops";
import type { Crops } from "../batches.ts";

/** The bytes of one step's crops, in memory that threads share; to be filled picture by picture. */
export interface CropBatch {
  /** A block for each group of crops: `[views * batch, size, size, 3]`. */
  readonly blocks: readonly Uint8Array[];
  /** Where crops are made of the batch as a whole: its pictures, to be put there instead. */
  readonly seen?: Seen[];
  /** The crops as tensors, which the caller owns. The bytes may be filled anew afterwards. */
  tensors(): Crops;
}

/** Room for the crops of `groups` of `batch` pictures. */
export function cropBatch(groups: readonly CropGroup[], batch: number): CropBatch {
  const blocks = groups.map(
    ({ size, views }) => new Uint8Array(new SharedArrayBuffer(3 * views * batch * size * size)),
  );
  return {
    blocks,
    tensors: () =>
      groups.map(({ size, views }, group) =>
        imageTensor(blocks[group] as Uint8Array, [views * batch, size, size]),
      ),
  };
}

/** The pictures of one step, of which the backend makes crops at once. */
export function deviceBatch(groups: readonly CropGroup[]): CropBatch {
  const seen: Seen[] = [];
  return { blocks: [], seen, tensors: () => viewTensors(seen, groups) };
}
