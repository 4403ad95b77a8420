/** From least to most. */
export type Range = readonly [number, number];

/** Throws unless `value` is an integer of 0 or more. */
export function assertCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name}: expected an integer of 0 or more, got ${value}`);
  }
}

/** Throws unless `value` is in [0, 1]. */
export function assertProbability(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) {
    throw new RangeError(`${name}: expected a probability in [0, 1], got ${value}`);
  }
}

/** Throws unless `range` goes from above 0 to at most `highest`, and not backwards. */
export function assertRange(name: string, range: Range, highest: number): void {
  const [least, most] = range;
  if (!(least > 0 && least <= most && most <= highest && Number.isFinite(most))) {
    const limit = Number.isFinite(highest) ? ` <= ${highest}` : "";
    throw new RangeError(
      `${name}: expected [least, most] with 0 < least <= most${limit}, got [${least}, ${most}]`,
    );
  }
}
