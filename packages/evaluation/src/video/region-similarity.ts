/** Pixels of a frame that belong to an object: 1 for those, 0 for others, row by row. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * The Jaccard index J of two masks, from 0 to 1: the pixels of both over the pixels of either, 1
 * where both are empty (Perazzi et al. 2016).
 */
export function regionSimilarity(found: Mask, truth: Mask): number {
  let [both, either] = [0, 0];
  for (let at = 0; at < truth.data.length; at++) {
    const [a, b] = [found.data[at] as number, truth.data[at] as number];
    both += a & b;
    either += a | b;
  }
  return either === 0 ? 1 : both / either;
}
