import { philox4x32 } from "@dino/random";
import fc from "fast-check";
import { expect, test } from "vitest";

// Random123's kat_vectors for philox4x32 with 10 rounds.
test.each([
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    block: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    block: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    block: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const)("agrees with the published answer for counter $counter", ({ counter, key, block }) => {
  expect(philox4x32(counter, key)).toEqual(block);
});

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const counters = fc.tuple(word, word, word, word);

test("agrees with the algorithm in 64-bit arithmetic", () => {
  fc.assert(
    fc.property(counters, fc.tuple(word, word), (counter, key) => {
      expect(philox4x32(counter, key)).toEqual(bigPhilox(counter, key));
    }),
    { numRuns: 1000 },
  );
});

test("tells counters apart", () => {
  fc.assert(
    fc.property(counters, counters, fc.tuple(word, word), (one, other, key) => {
      fc.pre(one.some((value, i) => value !== other[i]));
      expect(philox4x32(one, key)).not.toEqual(philox4x32(other, key));
    }),
  );
});

function bigPhilox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const one = 0xd2511f53n * c0;
    const other = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [
      (other >> 32n) ^ c1 ^ k0,
      other & 0xffffffffn,
      (one >> 32n) ^ c3 ^ k1,
      one & 0xffffffffn,
    ];
    k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
    k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
  }
  return [c0, c1, c2, c3].map(Number);
}
