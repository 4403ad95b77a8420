import { chain, constant, cosine, linear } from "@dino/schedulers";
import fc from "fast-check";
import { expect, test } from "vitest";

const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const ramp = fc.record({ from: value, to: value, steps: fc.integer({ min: 2, max: 500 }) });

test("a linear ramp has both its ends to the last bit, and holds the second", () => {
  fc.assert(
    fc.property(ramp, fc.nat(1000), ({ from, to, steps }, more) => {
      const schedule = linear({ from, to, steps });
      expect(schedule(0)).toBe(from);
      expect(schedule(steps - 1)).toBe(to);
      expect(schedule(steps + more)).toBe(to);
    }),
  );
});

test("a linear ramp climbs by equal amounts", () => {
  const schedule = linear({ from: 1, to: 3, steps: 5 });
  expect([0, 1, 2, 3, 4, 5].map(schedule)).toEqual([1, 1.5, 2, 2.5, 3, 3]);
});

test("a linear ramp of one step stays at its first value for it", () => {
  expect([0, 1, 2].map(linear({ from: 1, to: 3, steps: 1 }))).toEqual([1, 3, 3]);
});

test("a ramp of no steps is at its second value from the start", () => {
  expect([0, 1].map(linear({ from: 1, to: 3, steps: 0 }))).toEqual([3, 3]);
  expect([0, 1].map(cosine({ from: 1, to: 3, steps: 0 }))).toEqual([3, 3]);
});

test("a cosine goes from its first value through the middle to its second, and never turns", () => {
  fc.assert(
    fc.property(ramp, ({ from, to, steps }) => {
      const schedule = cosine({ from, to, steps: 2 * steps });
      expect(schedule(0)).toBe(from);
      expect(schedule(steps)).toBeCloseTo((from + to) / 2, 9);
      expect(schedule(2 * steps)).toBe(to);
      expect(schedule(3 * steps)).toBe(to);
      const direction = Math.sign(to - from);
      for (let step = 1; step <= 2 * steps; step++) {
        const move = schedule(step) - schedule(step - 1);
        // A turn by rounding is none; near zero numbers are no closer than the smallest there is.
        const rounding = 1e-12 * (Math.abs(from) + Math.abs(to)) + 1e-300;
        expect(direction * move).toBeGreaterThanOrEqual(-rounding);
      }
    }),
    { numRuns: 20 },
  );
});

test("a chain counts its second schedule from that schedule's own step 0", () => {
  const schedule = chain(constant(7), 3, (step) => step);
  expect([0, 1, 2, 3, 4].map(schedule)).toEqual([7, 7, 7, 0, 1]);
});

test("values that are not finite are refused by name", () => {
  expect(() => constant(Number.NaN)).toThrow(
    new RangeError("value: expected a finite number, got NaN"),
  );
  expect(() => linear({ from: Number.POSITIVE_INFINITY, to: 1, steps: 2 })).toThrow(
    new RangeError("from: expected a finite number, got Infinity"),
  );
  expect(() => cosine({ from: 0, to: Number.NaN, steps: 2 })).toThrow(
    new RangeError("to: expected a finite number, got NaN"),
  );
});

test("numbers of steps that are negative or broken are refused", () => {
  expect(() => linear({ from: 0, to: 1, steps: 1.5 })).toThrow(
    new RangeError("steps: expected an integer of 0 or more, got 1.5"),
  );
  expect(() => chain(constant(1), -1, constant(2))).toThrow(
    new RangeError("steps: expected an integer of 0 or more, got -1"),
  );
});

test("a step before the first, or between two, is refused", () => {
  expect(() => cosine({ from: 0, to: 1, steps: 9 })(-1)).toThrow(
    new RangeError("step: expected an integer of 0 or more, got -1"),
  );
  expect(() => linear({ from: 0, to: 1, steps: 9 })(0.5)).toThrow(
    new RangeError("step: expected an integer of 0 or more, got 0.5"),
  );
});
