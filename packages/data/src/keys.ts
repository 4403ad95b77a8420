import { fold, type Key, key, random } from "@dino/random";

/** What the children of a seed's key are for. */
const purpose = { order: 0, views: 1 };

export interface EpochOrderOptions {
  readonly seed: number;
  readonly epoch: number;
  /** How many pictures there are. */
  readonly length: number;
}

/** The order in which an epoch goes through the pictures: a permutation of `0 ... length - 1`. */
export function epochOrder({ seed, epoch, length }: EpochOrderOptions): Uint32Array {
  return random(fold(key(seed), purpose.order, epoch)).permutation(length);
}

export interface ViewKeyOptions {
  readonly seed: number;
  readonly epoch: number;
  /** The picture's index in the data set. */
  readonly index: number;
}

/** The key that a picture's views are sampled with in an epoch. */
export function viewKey({ seed, epoch, index }: ViewKeyOptions): Key {
  return fold(key(seed), purpose.views, epoch, index);
}
