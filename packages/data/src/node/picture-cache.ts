import { totalmem } from "node:os";
import type { Pixels } from "@dino/ops";
import type { Dataset, ReadOptions } from "../dataset.ts";

/** At most a quarter of what the machine, or the container, has. */
export const defaultCacheBytes: number = Math.min(
  2 ** 30,
  Math.floor(Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) / 4),
);

export interface PictureCache {
  /** The picture, if it is kept. */
  kept(index: number): Pixels | undefined;
  read(index: number, options: ReadOptions): Promise<Pixels>;
  /** Mean bytes of the pictures read so far; 0 before the first. */
  meanBytes(): number;
  clear(): void;
}

export interface PictureCacheOptions {
  /** Bytes that may be kept. */
  readonly maximum: number;
  /** Whether the pixels are to lie in memory that threads share. */
  readonly shared: boolean;
}

/**
 * Decoded pictures, kept until `maximum` bytes are full, and then not exchanged: in an order that
 * is new in each epoch, what was used last is not what comes next, and exchanging would only lower
 * the share of hits.
 */
export function pictureCache(
  dataset: Dataset,
  { maximum, shared }: PictureCacheOptions,
): PictureCache {
  const kept = new Map<number, Pixels>();
  let bytes = 0;
  let [totalBytes, pictures] = [0, 0];
  return {
    kept: (index) => kept.get(index),
    read: async (index, options) => {
      const known = kept.get(index);
      if (known !== undefined) return known;
      const read = await dataset.read(index, options);
      const picture = shared ? inSharedMemory(read) : read;
      const size = picture.data.byteLength;
      totalBytes += size;
      pictures++;
      if (bytes + size <= maximum && !kept.has(index)) {
        kept.set(index, picture);
        bytes += size;
      }
      return picture;
    },
    meanBytes: () => (pictures === 0 ? 0 : totalBytes / pictures),
    clear: () => {
      kept.clear();
      bytes = 0;
    },
  };
}

/** The picture, its bytes in memory that a worker can be shown without a copy. */
function inSharedMemory(picture: Pixels): Pixels {
  if (picture.data.buffer instanceof SharedArrayBuffer) return picture;
  const data = new Uint8Array(new SharedArrayBuffer(picture.data.byteLength));
  data.set(picture.data);
  return { width: picture.width, height: picture.height, data };
}
