import { teacherTemperature } from "@dino/schedulers";
import { expect, test } from "vitest";
import { expectSchedule, schedules } from "./schedules-golden.ts";

test.each(schedules.teacher_temp)(
  "agrees with the reference from $warmup_teacher_temp to $teacher_temp over $warmup_teacher_temp_epochs epochs",
  (golden) => {
    const schedule = teacherTemperature({
      from: golden.warmup_teacher_temp,
      to: golden.teacher_temp,
      warmupEpochs: golden.warmup_teacher_temp_epochs,
      epochs: golden.epochs,
      stepsPerEpoch: 7,
    });
    expectSchedule(schedule, golden.values, 7);
  },
);

const options = { from: 0.04, to: 0.07, warmupEpochs: 4, epochs: 10, stepsPerEpoch: 5 };

test("stays the same within an epoch", () => {
  const schedule = teacherTemperature(options);
  expect(schedule(4)).toBe(schedule(0));
  expect(schedule(5)).toBeGreaterThan(schedule(4));
  expect(schedule(9)).toBe(schedule(5));
  expect(schedule(15)).toBe(0.07);
});

test("a warm-up of one epoch spends it at the first temperature", () => {
  const schedule = teacherTemperature({ ...options, warmupEpochs: 1 });
  expect([0, 4, 5].map(schedule)).toEqual([0.04, 0.04, 0.07]);
});

test("a warm-up longer than the run is refused with both numbers", () => {
  expect(() => teacherTemperature({ ...options, warmupEpochs: 30 })).toThrow(
    new RangeError("warmupEpochs: the warm-up of 30 epochs is longer than the run of 10 epochs"),
  );
});

test("an epoch without steps is refused", () => {
  expect(() => teacherTemperature({ ...options, stepsPerEpoch: 0 })).toThrow(
    new RangeError("stepsPerEpoch: expected 1 or more, got 0"),
  );
});
