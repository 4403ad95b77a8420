import type { Pixels } from "@dino/ops";
import { type Dataset, nameOf } from "../dataset.ts";
import { DataError } from "../errors.ts";
import type { BrokenPictures } from "./broken-pictures.ts";
import type { PictureCache } from "./picture-cache.ts";

export interface ReadPicture {
  readonly index: number;
  readonly picture: Pixels;
}

/** Reads the picture at a place of an order; a broken one is replaced by the next that is not. */
export type ReadAt = (
  order: Uint32Array,
  place: number,
  signal: AbortSignal,
) => Promise<ReadPicture>;

export interface ReadablePicturesOptions {
  readonly cache: PictureCache;
  readonly broken: BrokenPictures;
}

/**
 * What comes in place of a broken picture depends on the order alone, not on what was read before:
 * a run that goes on in the middle of an epoch finds the same. After the last place comes the first.
 */
export function readablePictures(
  dataset: Dataset,
  { cache, broken }: ReadablePicturesOptions,
): ReadAt {
  return async (order, place, signal) => {
    for (let tried = 0; tried < order.length; tried++) {
      const index = order[(place + tried) % order.length] as number;
      if (broken.has(index)) continue;
      try {
        return { index, picture: await cache.read(index, { signal }) };
      } catch (error) {
        signal.throwIfAborted(); // then it says nothing about the picture
        broken.add(index, error);
      }
    }
    throw new DataError(nameOf(dataset), `none of its ${dataset.length} pictures can be read`);
  };
}
