/** Values by key, of which those used longest ago go first. */
export interface Lru<T> {
  /** The value of a key, made where it is not kept. */
  take(key: string, make: () => T): T;
}

/** Keeps `most` values; `discard` sees each that has to go. */
export function createLru<T>(most: number, discard?: (value: T) => void): Lru<T> {
  const kept = new Map<string, T>();
  return {
    take: (key, make) => {
      const known = kept.get(key);
      if (known !== undefined) {
        // A map keeps its keys in the order in which they came.
        kept.delete(key);
        kept.set(key, known);
        return known;
      }
      const value = make();
      kept.set(key, value);
      if (kept.size > most) {
        const [oldest] = kept;
        if (oldest !== undefined) {
          kept.delete(oldest[0]);
          discard?.(oldest[1]);
        }
      }
      return value;
    },
  };
}
