/** Fails unless `value` is an integer of at least `least`. */
export function assertCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name}: expected an integer of at least ${least}, got ${value}`);
  }
}
