import { assertFits, assertSteps } from "./assert.ts";
import { linear, type Schedule } from "./schedule.ts";

export interface TeacherTemperatureOptions {
  /** Temperature of the first epoch. */
  readonly from: number;
  /** Temperature of the last warm-up epoch and of all that follow. */
  readonly to: number;
  readonly warmupEpochs: number;
  /** Length of the run. */
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/**
 * The teacher's temperature as DINO warms it up: a straight line over the epochs, and the same
 * within each of them. No warm-up is `to` from the start. Where the temperature shall rise at
 * every step instead, take `linear`.
 */
export function teacherTemperature({
  from,
  to,
  warmupEpochs,
  epochs,
  stepsPerEpoch,
}: TeacherTemperatureOptions): Schedule {
  assertSteps("warmupEpochs", warmupEpochs);
  assertSteps("epochs", epochs);
  assertFits("warmupEpochs", warmupEpochs, epochs, "epochs");
  assertSteps("stepsPerEpoch", stepsPerEpoch);
  if (stepsPerEpoch === 0) throw new RangeError("stepsPerEpoch: expected 1 or more, got 0");

  const byEpoch = linear({ from, to, steps: warmupEpochs });
  return (step) => {
    assertSteps("step", step);
    return byEpoch(Math.floor(step / stepsPerEpoch));
  };
}
