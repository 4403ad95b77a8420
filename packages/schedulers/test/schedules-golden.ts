/// <reference types="node" />
import type { Schedule } from "@dino/schedulers";
import { decode, expectValues, type GoldenArray, golden } from "@dino/testing";

export interface SchedulesGolden {
  readonly cosine: readonly {
    readonly args: {
      readonly base_value: number;
      readonly final_value: number;
      readonly epochs: number;
      readonly niter_per_ep: number;
      readonly warmup_epochs?: number;
      readonly start_warmup_value?: number;
    };
    readonly values: GoldenArray;
  }[];
  readonly teacher_temp: readonly {
    readonly warmup_teacher_temp: number;
    readonly teacher_temp: number;
    readonly warmup_teacher_temp_epochs: number;
    readonly epochs: number;
    readonly values: GoldenArray;
  }[];
}

export const schedules: SchedulesGolden = golden<SchedulesGolden>("schedules");

/** Fails unless `schedule` has the golden's values, to 1e-12 of the largest. */
export function expectSchedule(schedule: Schedule, values: GoldenArray, stepsPerValue = 1): void {
  const expected = decode(values);
  const actual = Array.from(expected, (_, i) => schedule(i * stepsPerValue));
  expectValues(actual, expected, 1e-12);
}
