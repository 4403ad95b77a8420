import type { Pixels } from "@dino/ops";
import type { BrokenPicture, Dataset, Progress, ReadOptions } from "../dataset.ts";
import { nameOf } from "../dataset.ts";
import { DataError } from "../errors.ts";

export interface HeldPicturesOptions extends ReadOptions {
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * The data set with all its pictures in memory, each read once. Those that cannot be read are left
 * out and named in `broken`; a `DataError` where none is left.
 */
export async function heldPictures(
  dataset: Dataset,
  { signal, onProgress }: HeldPicturesOptions = {},
): Promise<Dataset> {
  const kept: { readonly index: number; readonly picture: Pixels }[] = [];
  const broken: BrokenPicture[] = [...(dataset.broken ?? [])];
  for (let index = 0; index < dataset.length; index++) {
    signal?.throwIfAborted();
    try {
      kept.push({ index, picture: await dataset.read(index, signal ? { signal } : {}) });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      broken.push({ name: dataset.name(index), reason: error.reason });
    }
    onProgress?.({ done: index + 1, total: dataset.length });
  }
  const [first] = broken;
  if (kept.length === 0 && first) {
    const reason = `none of its ${broken.length} pictures can be read: ${first.name} (${first.reason})`;
    throw new DataError(nameOf(dataset), reason);
  }
  const at = (index: number) => {
    const picture = kept[index];
    if (picture) return picture;
    throw new RangeError(`index: expected 0 to ${kept.length - 1}, got ${index}`);
  };
  return {
    ...(dataset.path !== undefined && { path: dataset.path }),
    length: kept.length,
    classes: dataset.classes,
    broken,
    label: (index) => dataset.label(at(index).index),
    name: (index) => dataset.name(at(index).index),
    read: async (index) => at(index).picture,
  };
}
