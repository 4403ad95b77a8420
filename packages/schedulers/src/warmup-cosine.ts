import { assertFinite, assertFits, assertSteps } from "./assert.ts";
import { chain, cosine, linear, type Schedule } from "./schedule.ts";

export interface WarmupCosineOptions {
  /** The value at the end of the warm-up, from which the cosine sets out. */
  readonly peak: number;
  /** The value that the cosine has reached when the run is over. */
  readonly end: number;
  /** Length of the run. */
  readonly steps: number;
  /** Steps of linear warm-up, counted within `steps`. */
  readonly warmup?: number;
  /** The value at step 0 when there is a warm-up. */
  readonly start?: number;
}

/**
 * The schedule DINO uses for learning rate, weight decay and teacher momentum
 * (https://github.com/facebookresearch/dino, `cosine_scheduler`).
 *
 * Both ends of the warm-up belong to it: step 0 has `start` and step `warmup - 1` has `peak`. The
 * cosine sets out from `peak` again at step `warmup` and would arrive at `end` at step `steps`, so
 * the last step of the run is a little short of it.
 */
export function warmupCosine({
  peak,
  end,
  steps,
  warmup = 0,
  start = 0,
}: WarmupCosineOptions): Schedule {
  assertFinite("peak", peak);
  assertFinite("end", end);
  assertFinite("start", start);
  assertSteps("steps", steps);
  assertSteps("warmup", warmup);
  assertFits("warmup", warmup, steps, "steps");
  return chain(
    linear({ from: start, to: peak, steps: warmup }),
    warmup,
    cosine({ from: peak, to: end, steps: steps - warmup }),
  );
}
