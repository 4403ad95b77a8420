import fc from "fast-check";
import { expect, test } from "vitest";
import { normalCdf, normalQuantile } from "../src/normal.ts";

test("the cumulative distribution has its published values", () => {
  expect(normalCdf(0)).toBe(0.5);
  expect(normalCdf(1.3)).toBeCloseTo(0.9031995154143897, 14);
  expect(normalCdf(-2)).toBeCloseTo(0.02275013194817921, 14);
  expect(normalCdf(-6) / 9.865876450376981e-10).toBeCloseTo(1, 13);
  expect(normalCdf(-100)).toBe(0);
  expect(normalCdf(Number.POSITIVE_INFINITY)).toBe(1);
});

test("the quantile has its published values, in the middle, the flanks and the tails", () => {
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(0.3)).toBeCloseTo(-0.5244005127080407, 14);
  expect(normalQuantile(0.01)).toBeCloseTo(-2.3263478740408408, 14);
  expect(normalQuantile(1e-9)).toBeCloseTo(-5.9978070150076865, 13);
  expect(normalQuantile(1e-20)).toBeCloseTo(-9.2623400897984, 12);
});

test("the quantile undoes the cumulative distribution", () => {
  fc.assert(
    fc.property(fc.double({ min: -30, max: 2, noNaN: true }), (x) => {
      expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 12);
    }),
  );
});
