import { fold, key, random } from "@dino/random";
import fc from "fast-check";
import { expect, test } from "vitest";

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const keys = fc.tuple(word, word);

test("a seed's key holds all its 53 bits", () => {
  expect(key(0)).toEqual([0, 0]);
  expect(key(2 ** 32 + 5)).toEqual([5, 1]);
  expect(key(Number.MAX_SAFE_INTEGER)).toEqual([0xffffffff, 0x1fffff]);
});

test("folding in two words is folding in one and then the other", () => {
  fc.assert(
    fc.property(keys, word, word, (parent, one, other) => {
      expect(fold(parent, one, other)).toEqual(fold(fold(parent, one), other));
      expect(fold(parent)).toEqual(parent);
    }),
  );
});

test("a key and its children survive JSON and structured cloning", () => {
  const child = fold(key(1), 2, 3);
  expect(JSON.parse(JSON.stringify(child))).toEqual(child);
  expect(child.every((half) => half >>> 0 === half)).toBe(true);
});

test("the children of neighbouring places differ, and the order of the words matters", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 5; seed++) {
    for (let epoch = 0; epoch < 10; epoch++) {
      for (let picture = 0; picture < 100; picture++)
        seen.add(`${fold(key(seed), epoch, picture)}`);
    }
  }
  expect(seen.size).toBe(5000);
});

test("streams of folded keys do not depend on each other", () => {
  // Correlations between neighbours, between parent and child, and at a lag: each is normal with
  // standard deviation 1 / sqrt(draws) when streams are independent.
  const draws = 20_000;
  const stream = (of: readonly [number, number]) => {
    const source = random(of);
    return Float64Array.from({ length: draws }, () => source.uniform(-1, 1));
  };
  const parent = key(3);
  const [root, first, second, nested] = [
    stream(parent),
    stream(fold(parent, 0)),
    stream(fold(parent, 1)),
    stream(fold(parent, 0, 0)),
  ] as const;
  for (const [a, b] of [
    [root, first],
    [first, second],
    [first, nested],
    [second.subarray(1), first],
  ] as const) {
    expect(Math.abs(correlation(a, b))).toBeLessThan(4 / Math.sqrt(draws));
  }
});

test("the first draws of many children are uniform", () => {
  const bins = new Array<number>(64).fill(0);
  for (let i = 0; i < 64_000; i++) {
    const bin = Math.floor(random(fold(key(11), i)).uniform() * 64);
    bins[bin] = (bins[bin] as number) + 1;
  }
  // 63 degrees of freedom: mean 63, standard deviation 11.2.
  const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquare).toBeGreaterThan(28);
  expect(chiSquare).toBeLessThan(112);
});

test("a seed that is no integer of 53 bits is refused", () => {
  for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) {
    expect(() => key(seed)).toThrow(
      new RangeError(`seed: expected an integer from 0 to 2 ** 53 - 1, got ${seed}`),
    );
  }
});

test("a word that is no unsigned 32-bit integer is refused", () => {
  expect(() => fold(key(0), 1, -1)).toThrow(
    new RangeError("word: expected an unsigned 32-bit integer, got -1"),
  );
  expect(() => fold(key(0), 2 ** 32)).toThrow(RangeError);
});

function correlation(a: Float64Array, b: Float64Array): number {
  const length = Math.min(a.length, b.length);
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}
