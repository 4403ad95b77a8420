import { warmupCosine } from "@dino/schedulers";
import { expect, test } from "vitest";
import { expectSchedule, schedules } from "./schedules-golden.ts";

test.each(schedules.cosine)("agrees with the reference for $args", ({ args, values }) => {
  const schedule = warmupCosine({
    peak: args.base_value,
    end: args.final_value,
    steps: args.epochs * args.niter_per_ep,
    warmup: (args.warmup_epochs ?? 0) * args.niter_per_ep,
    start: args.start_warmup_value ?? 0,
  });
  expectSchedule(schedule, values);
});

test("the warm-up has both its ends, and the peak comes twice", () => {
  const schedule = warmupCosine({ peak: 0.1, end: 0, steps: 30, warmup: 10, start: 0.3 });
  expect(schedule(0)).toBe(0.3);
  expect(schedule(9)).toBe(0.1);
  expect(schedule(10)).toBe(0.1);
  expect(schedule(11)).toBeLessThan(0.1);
});

test("the last step is short of the end, which comes after it", () => {
  const schedule = warmupCosine({ peak: 1, end: 0, steps: 30, warmup: 10 });
  expect(schedule(29)).toBeGreaterThan(0);
  expect(schedule(29)).toBeLessThan(0.01);
  expect(schedule(30)).toBe(0);
});

test("a warm-up may fill the run", () => {
  const schedule = warmupCosine({ peak: 1, end: 0, steps: 3, warmup: 3 });
  expect([0, 1, 2].map(schedule)).toEqual([0, 0.5, 1]);
});

test("a warm-up longer than the run is refused with both numbers", () => {
  expect(() => warmupCosine({ peak: 1, end: 0, steps: 100, warmup: 150 })).toThrow(
    new RangeError("warmup: the warm-up of 150 steps is longer than the run of 100 steps"),
  );
});

test("a peak that is not finite is refused by its own name", () => {
  expect(() => warmupCosine({ peak: Number.NaN, end: 0, steps: 1 })).toThrow(
    new RangeError("peak: expected a finite number, got NaN"),
  );
});
