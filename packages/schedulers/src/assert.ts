/** Throws unless `value` is a finite number. */
export function assertFinite(name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new RangeError(`${name}: expected a finite number, got ${value}`);
}

/** Throws unless `value` counts steps: an integer, 0 or more. */
export function assertSteps(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name}: expected an integer of 0 or more, got ${value}`);
  }
}

/** Throws if the warm-up, counted in `unit`, does not fit into the run. */
export function assertFits(name: string, warmup: number, run: number, unit: string): void {
  if (warmup > run) {
    throw new RangeError(
      `${name}: the warm-up of ${warmup} ${unit} is longer than the run of ${run} ${unit}`,
    );
  }
}
