import type { Key } from "./key.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { writeBlock } from "./philox.ts";

/** A stream of random numbers: its sequence is fixed by its key, its place in it is its only state. */
export interface Random {
  /** Uniform in `[low, high)`, by default `[0, 1)`, on a grid of 2 ** 32 values. */
  uniform(low?: number, high?: number): number;
  /** One of the integers from `low` to `high`, both included, each equally likely. */
  integer(low: number, high: number): number;
  /** Normal, by default with mean 0 and standard deviation 1. Never further out than 6.4 of them. */
  normal(mean?: number, std?: number): number;
  /** Normal, and within cuts. */
  truncatedNormal(options?: TruncatedNormalOptions): number;
  /** The integers from 0 to `length - 1` in an order that is one of all equally likely ones. */
  permutation(length: number): Uint32Array;
}

/**
 * The distribution of PyTorch's `trunc_normal_`. The cuts are values, not multiples of `std`: with
 * the usual `std` of 0.02 the default cuts at -2 and 2 are a hundred standard deviations away.
 */
export interface TruncatedNormalOptions {
  readonly mean?: number;
  readonly std?: number;
  readonly low?: number;
  readonly high?: number;
}

/** The stream of `key`. Streams of different keys are independent: `fold` makes as many as needed. */
export function random(key: Key): Random {
  const [keyLow, keyHigh] = key;
  const block = new Uint32Array(4);
  let used = 4;
  let blocks = 0;

  /** The next 32 bits. */
  const next = (): number => {
    if (used === 4) {
      // The counter's last word stays 0, which sets streams apart from what `fold` draws.
      writeBlock(block, blocks | 0, (blocks / 2 ** 32) | 0, 0, 0, keyLow, keyHigh);
      blocks++;
      used = 0;
    }
    return block[used++] as number;
  };

  /** Uniform in the open interval (0, 1): half a grid step away from both ends. */
  const between = (): number => (next() + 0.5) * 2 ** -32;

  const integer = (low: number, high: number): number => {
    const count = high - low + 1;
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || !(count >= 1)) {
      throw new RangeError(`range: expected integers low <= high, got ${low} and ${high}`);
    }
    if (count > 2 ** 32) {
      throw new RangeError(`range: expected at most 2 ** 32 integers, got ${count}`);
    }
    // Draws beyond the last whole multiple of `count` would favour small results.
    const fair = 2 ** 32 - (2 ** 32 % count);
    let word = next();
    while (word >= fair) word = next();
    return low + (word % count);
  };

  let cut = truncation({});

  return {
    uniform: (low = 0, high = 1) => {
      if (!(low <= high))
        throw new RangeError(`range: expected low <= high, got ${low} and ${high}`);
      return low + (high - low) * (next() * 2 ** -32);
    },

    integer,

    normal: (mean = 0, std = 1) => {
      if (!(std >= 0)) throw new RangeError(`std: expected a number of 0 or more, got ${std}`);
      return mean + std * normalQuantile(between());
    },

    truncatedNormal: ({ mean = 0, std = 1, low = -2, high = 2 } = {}) => {
      // Initialisers ask for the same cuts millions of times; their probabilities cost more than a draw.
      if (mean !== cut.mean || std !== cut.std || low !== cut.low || high !== cut.high) {
        cut = truncation({ mean, std, low, high });
      }
      const p = Math.max(cut.below + cut.within * between(), Number.MIN_VALUE);
      const x = mean + cut.scale * normalQuantile(p);
      return Math.min(Math.max(x, low), high);
    },

    permutation: (length) => {
      if (!Number.isInteger(length) || length < 0 || length > 2 ** 32) {
        throw new RangeError(`length: expected an integer from 0 to 2 ** 32, got ${length}`);
      }
      const order = Uint32Array.from({ length }, (_, i) => i);
      for (let last = length - 1; last > 0; last--) {
        const other = integer(0, last);
        const value = order[last] as number;
        order[last] = order[other] as number;
        order[other] = value;
      }
      return order;
    },
  };
}

/** A distribution's probabilities below its cuts and between them. */
function truncation({ mean = 0, std = 1, low = -2, high = 2 }: TruncatedNormalOptions) {
  if (!(std > 0)) throw new RangeError(`std: expected a number above 0, got ${std}`);
  if (!(low < high)) throw new RangeError(`cuts: expected low < high, got ${low} and ${high}`);
  // Above the mean it is drawn as its mirror image: probabilities near 0 are exact, those near 1 are not.
  const scale = low > mean ? -std : std;
  const [one, other] = [normalCdf((low - mean) / scale), normalCdf((high - mean) / scale)];
  const below = Math.min(one, other);
  return { mean, std, low, high, scale, below, within: Math.max(one, other) - below };
}
