/** Values by key, of which those not used for long go. */
export interface Lru<T> {
  /** The value of a key, made where it is not kept. */
  take(key: string, make: () => T): T;
}

/**
 * Keeps the `most / 2` values used last, and up to as many that were used before them. Two
 * generations cost a look-up alone, where an order of use costs two writes.
 */
export function createLru<T>(most: number): Lru<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  return {
    take: (key, make) => {
      const known = young.get(key);
      if (known !== undefined) return known;
      const value = old.get(key) ?? make();
      young.set(key, value);
      if (young.size >= most / 2) [old, young] = [young, new Map()];
      return value;
    },
  };
}
