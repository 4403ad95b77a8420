/** `make`, which is asked but once for the same arguments: those of one key. */
export function remembered<Arguments extends readonly unknown[], T>(
  make: (...given: Arguments) => T,
  keyOf: (...given: Arguments) => string = (...given) => JSON.stringify(given),
): (...given: Arguments) => T {
  const known = new Map<string, T>();
  return (...given) => {
    const key = keyOf(...given);
    let value = known.get(key);
    if (value === undefined) {
      value = make(...given);
      known.set(key, value);
    }
    return value;
  };
}
