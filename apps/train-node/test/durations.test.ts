import fc from "fast-check";
import { expect, test } from "vitest";
import {
  describeDuration,
  epochs,
  formatDuration,
  parseDuration,
  percent,
  steps,
  toSteps,
} from "../src/settings/duration.ts";

test.each([
  ["2", epochs(2)],
  ["0", epochs(0)],
  ["1.5", epochs(1.5)],
  ["1 epoch", epochs(1)],
  ["3epochs", epochs(3)],
  ["500steps", steps(500)],
  ["1 step", steps(1)],
  ["10%", percent(10)],
  ["2.5 %", percent(2.5)],
])("reads %j", (text, duration) => {
  expect(parseDuration(text)).toEqual(duration);
});

test.each(["", "-1", "two", "1.5steps", "101%", "5 %%", "1e3", "steps", "1 week", "NaN"])(
  "reads nothing from %j",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test("reads back what it writes", () => {
  const amounts = fc.integer({ min: 0, max: 10_000 });
  const durations = fc.oneof(
    amounts.map((n) => epochs(n / 4)),
    amounts.map(steps),
    amounts.map((n) => percent(n / 100)),
  );
  fc.assert(
    fc.property(durations, (duration) => {
      expect(parseDuration(formatDuration(duration))).toEqual(duration);
    }),
  );
});

test("counts steps by epochs, by themselves, and by the run", () => {
  const length = { perEpoch: 95, steps: 950 };
  expect(toSteps(epochs(2), length)).toBe(190);
  expect(toSteps(epochs(0.5), length)).toBe(48);
  expect(toSteps(steps(7), length)).toBe(7);
  expect(toSteps(percent(10), length)).toBe(95);
});

test("lasts a step at least, unless it is nothing", () => {
  const length = { perEpoch: 1, steps: 10 };
  expect(toSteps(percent(1), length)).toBe(1);
  expect(toSteps(epochs(0), length)).toBe(0);
});

test("says durations in words", () => {
  expect(describeDuration(epochs(1))).toBe("1 epoch");
  expect(describeDuration(steps(500))).toBe("500 steps");
  expect(describeDuration(percent(10))).toBe("10 % of the run");
});
