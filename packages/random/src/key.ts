import { writeBlock } from "./philox.ts";

/** 64 bits as two unsigned 32-bit words. Plain data: it may be stored, and posted to a worker. */
export type Key = readonly [number, number];

/** The key of a seed: an integer from 0 to `Number.MAX_SAFE_INTEGER`. */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed: expected an integer from 0 to 2 ** 53 - 1, got ${seed}`);
  }
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}

/**
 * The child of `parent` at a place, such as an epoch, a picture and a crop. Each of `words` is an
 * unsigned 32-bit integer. Folding in two words is folding in one and then the other, so that a
 * part of the way may be prepared.
 */
export function fold(parent: Key, ...words: readonly number[]): Key {
  let [low, high] = parent;
  for (const word of words) {
    if (word >>> 0 !== word) {
      throw new RangeError(`word: expected an unsigned 32-bit integer, got ${word}`);
    }
    writeBlock(child, word, 0, 0, foldMark, low, high);
    low = child[0] as number;
    high = child[1] as number;
  }
  return [low, high];
}

/** The counter's last word when a child is made. A stream has 0 there, so the two never meet. */
const foldMark = 1;

const child = new Uint32Array(4);
