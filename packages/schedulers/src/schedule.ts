import { assertFinite, assertSteps } from "./assert.ts";

/** A hyperparameter as a function of the training step, and of nothing else. Steps count from 0. */
export type Schedule = (step: number) => number;

/** A way from one value to another. */
export interface Ramp {
  readonly from: number;
  readonly to: number;
  /** How many steps the way takes: an integer, 0 or more. */
  readonly steps: number;
}

/** The same value at every step. */
export function constant(value: number): Schedule {
  assertFinite("value", value);
  return () => value;
}

/**
 * A straight line: `from` at step 0, `to` at step `steps - 1`, and `to` ever after. A ramp of one
 * step stays at `from` for it; a ramp of no steps is `to` from the start.
 */
export function linear({ from, to, steps }: Ramp): Schedule {
  assertRamp({ from, to, steps });
  return (step) => {
    assertSteps("step", step);
    // The ends are given, not computed: from + (to - from) may miss one by a rounding.
    if (step === 0 && steps > 0) return from;
    return step < steps - 1 ? from + ((to - from) * step) / (steps - 1) : to;
  };
}

/** Half a cosine: `from` at step 0, `to` at step `steps`, and `to` ever after. */
export function cosine({ from, to, steps }: Ramp): Schedule {
  assertRamp({ from, to, steps });
  return (step) => {
    assertSteps("step", step);
    if (step >= steps) return to;
    if (step === 0) return from;
    return to + 0.5 * (from - to) * (1 + Math.cos((Math.PI * step) / steps));
  };
}

/** `first` for its `steps` steps, then `second`, counted from its own step 0. */
export function chain(first: Schedule, steps: number, second: Schedule): Schedule {
  assertSteps("steps", steps);
  return (step) => (step < steps ? first(step) : second(step - steps));
}

function assertRamp({ from, to, steps }: Ramp): void {
  assertFinite("from", from);
  assertFinite("to", to);
  assertSteps("steps", steps);
}
