import { key, philox4x32, random } from "@dino/random";
import fc from "fast-check";
import { expect, test } from "vitest";

const draws = 200_000;

test("the sequence of a key never changes", () => {
  // Checkpoints and published runs depend on it.
  const words = [...philox4x32([0, 0, 0, 0], key(7)), ...philox4x32([1, 0, 0, 0], key(7))];
  const stream = random(key(7));
  expect(words.map(() => stream.uniform() * 2 ** 32)).toEqual(words);
});

test("two streams of a key are the same and do not share a place", () => {
  const [one, other] = [random(key(5)), random(key(5))];
  one.uniform();
  one.uniform();
  other.uniform();
  expect(other.uniform()).toBe(sequence(5, 2)[1]);
  expect(one.uniform()).toBe(sequence(5, 3)[2]);
});

test("uniform draws have the mean, variance and range asked for", () => {
  const stream = random(key(1));
  const { mean, variance, least, most } = moments(() => stream.uniform(-3, 5));
  expect(least).toBeGreaterThanOrEqual(-3);
  expect(most).toBeLessThan(5);
  expect(Math.abs(mean - 1)).toBeLessThan(4 * Math.sqrt(64 / 12 / draws));
  expect(variance / (64 / 12)).toBeCloseTo(1, 1);
});

test("integers include both ends and are equally likely", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: -50, max: 50 }),
      fc.integer({ min: 2, max: 40 }),
      (seed, low, count) => {
        const stream = random(key(seed));
        const bins = new Array<number>(count).fill(0);
        const each = 500;
        for (let i = 0; i < each * count; i++) {
          const bin = stream.integer(low, low + count - 1) - low;
          bins[bin] = (bins[bin] as number) + 1;
        }
        const chiSquare = bins.reduce((sum, n) => sum + (n - each) ** 2 / each, 0);
        const freedom = count - 1;
        // Five standard deviations, and room for the skew of few degrees of freedom.
        expect(chiSquare).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom) + 12);
      },
    ),
    { numRuns: 20, seed: 1 },
  );
});

test("integers cover ranges up to 2 ** 32, fairly", () => {
  const stream = random(key(2));
  // Three quarters of the words: without rejection the first third would come twice as often.
  const count = 3 * 2 ** 30;
  let below = 0;
  for (let i = 0; i < draws; i++) below += stream.integer(0, count - 1) < count / 3 ? 1 : 0;
  expect(Math.abs(below / draws - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / draws));
  expect(stream.integer(4, 4)).toBe(4);
  expect(stream.integer(0, 2 ** 32 - 1)).toBeLessThan(2 ** 32);
});

test("normal draws have the moments and tails of a normal distribution", () => {
  const stream = random(key(3));
  let [beyondOne, beyondThree, cubes, fourths] = [0, 0, 0, 0];
  const { mean, variance } = moments(() => {
    const x = stream.normal(2, 0.5);
    const z = (x - 2) / 0.5;
    if (Math.abs(z) > 1) beyondOne++;
    if (Math.abs(z) > 3) beyondThree++;
    cubes += z ** 3;
    fourths += z ** 4;
    return x;
  });
  expect(Math.abs(mean - 2)).toBeLessThan((4 * 0.5) / Math.sqrt(draws));
  expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(4 * Math.sqrt(2 / draws));
  expect(Math.abs(cubes / draws)).toBeLessThan(4 * Math.sqrt(15 / draws));
  expect(Math.abs(fourths / draws - 3)).toBeLessThan(4 * Math.sqrt(96 / draws));
  expect(beyondOne / draws).toBeCloseTo(0.3173, 2);
  expect(beyondThree / draws).toBeCloseTo(0.0027, 3);
});

test("a truncated normal stays within its cuts, which are values and not multiples of std", () => {
  const stream = random(key(4));
  const { mean, variance, least, most } = moments(() => stream.truncatedNormal());
  expect(least).toBeGreaterThanOrEqual(-2);
  expect(most).toBeLessThanOrEqual(2);
  expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(0.7737 / draws));
  expect(variance).toBeCloseTo(0.7737, 2); // 1 - 4 phi(2) / (2 Phi(2) - 1)

  const narrow = moments(() => stream.truncatedNormal({ std: 0.02 }));
  expect(Math.sqrt(narrow.variance)).toBeCloseTo(0.02, 4);
  expect(narrow.most).toBeGreaterThan(0.06);
});

test("a truncated normal is exact far out in either tail, and stays at a cut that is out of reach", () => {
  for (const sign of [-1, 1]) {
    const stream = random(key(9));
    const cuts = sign < 0 ? { low: -9, high: -8 } : { low: 8, high: 9 };
    const { mean } = moments(() => sign * stream.truncatedNormal(cuts));
    expect(mean).toBeCloseTo(8.1213, 2); // (phi(8) - phi(9)) / (Phi(9) - Phi(8))
    expect(stream.truncatedNormal({ low: 60, high: 61 })).toBe(60);
    expect(stream.truncatedNormal({ low: -61, high: -60 })).toBe(-60);
  }
});

test("a truncated normal follows its cuts when they change between draws", () => {
  fc.assert(
    fc.property(
      fc.record({
        mean: fc.double({ min: -2, max: 2, noNaN: true }),
        std: fc.double({ min: 0.01, max: 3, noNaN: true }),
        low: fc.double({ min: -4, max: -0.1, noNaN: true }),
        high: fc.double({ min: 0.1, max: 4, noNaN: true }),
      }),
      (options) => {
        const stream = random(key(6));
        for (let i = 0; i < 20; i++) {
          const x = stream.truncatedNormal(options);
          expect(x).toBeGreaterThanOrEqual(options.low);
          expect(x).toBeLessThanOrEqual(options.high);
          expect(Math.abs(stream.truncatedNormal())).toBeLessThanOrEqual(2);
        }
      },
    ),
  );
});

test("a permutation has every index once", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(300), (seed, length) => {
      const order = random(key(seed)).permutation(length);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
    }),
  );
});

test("all permutations are equally likely", () => {
  const stream = random(key(8));
  const counts = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = stream.permutation(4).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  // 23 degrees of freedom: 0.1 % of fair shuffles exceed 49.7.
  const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  expect(chiSquare).toBeLessThan(49.7);
});

test("what cannot be drawn is refused, by name", () => {
  const stream = random(key(0));
  expect(() => stream.uniform(1, 0)).toThrow(
    new RangeError("range: expected low <= high, got 1 and 0"),
  );
  expect(() => stream.integer(3, 2)).toThrow(
    new RangeError("range: expected integers low <= high, got 3 and 2"),
  );
  expect(() => stream.integer(0, 2 ** 32)).toThrow(
    new RangeError("range: expected at most 2 ** 32 integers, got 4294967297"),
  );
  expect(() => stream.normal(0, -1)).toThrow(
    new RangeError("std: expected a number of 0 or more, got -1"),
  );
  expect(() => stream.truncatedNormal({ std: 0 })).toThrow(
    new RangeError("std: expected a number above 0, got 0"),
  );
  expect(() => stream.truncatedNormal({ low: 1, high: 1 })).toThrow(
    new RangeError("cuts: expected low < high, got 1 and 1"),
  );
  expect(() => stream.permutation(-1)).toThrow(
    new RangeError("length: expected an integer from 0 to 2 ** 32, got -1"),
  );
});

function sequence(seed: number, length: number): number[] {
  const stream = random(key(seed));
  return Array.from({ length }, () => stream.uniform());
}

function moments(draw: () => number) {
  let [sum, squares, least, most] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < draws; i++) {
    const x = draw();
    sum += x;
    squares += x * x;
    least = Math.min(least, x);
    most = Math.max(most, x);
  }
  const mean = sum / draws;
  return { mean, variance: squares / draws - mean * mean, least, most };
}
