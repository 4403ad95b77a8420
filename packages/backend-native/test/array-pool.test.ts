import { expect, test } from "vitest";
import { type ArrayPool, createArrayPool } from "../src/array-pool.ts";

const mebibyte = 2 ** 20;
const elements = (mebibytes: number) => (mebibytes * mebibyte) / 4;

/** Arrays of so many mebibytes each, all taken before the first is given back. */
function step(pool: ArrayPool, sizes: readonly number[]): Set<ArrayBufferLike> {
  const arrays = sizes.map((size) => pool.take(elements(size)));
  for (const array of arrays) pool.giveBack(array);
  return new Set(arrays.map(({ buffer }) => buffer));
}

test("gives the memory that was given back last, for any length of its size class", () => {
  const pool = createArrayPool();
  const [first, second] = [pool.take(100_000), pool.take(100_000)];
  pool.giveBack(first);
  pool.giveBack(second);
  const third = pool.take(100_001);
  expect(third.buffer).toBe(second.buffer);
  expect(third.length).toBe(100_001);
  expect(pool.take(100_000).buffer).toBe(first.buffer);
});

test("has room for every length, and wastes no more than an eighth of large ones", () => {
  for (const length of [0, 1, 1023, 1024, 1025, 4097, 99_999, 131_072, 131_073, 1_000_000]) {
    const { buffer, length: actual, byteOffset } = createArrayPool().take(length);
    expect(actual).toBe(length);
    expect(byteOffset).toBe(0);
    if (length > 10_000) expect(buffer.byteLength).toBeLessThanOrEqual(4 * length * 1.125 + 4096);
  }
});

test("counts what is in use and what waits", () => {
  const pool = createArrayPool();
  const [small, large, seen] = [pool.take(10), pool.take(elements(1)), pool.take(elements(2))];
  expect([pool.usedBytes(), pool.freeBytes()]).toEqual([3 * mebibyte, 0]);
  pool.giveBack(small);
  pool.forget(pool.take(10));
  expect([pool.usedBytes(), pool.freeBytes()]).toEqual([3 * mebibyte, 0]);
  pool.giveBack(large);
  expect([pool.usedBytes(), pool.freeBytes()]).toEqual([2 * mebibyte, mebibyte]);
  pool.forget(seen);
  expect([pool.usedBytes(), pool.freeBytes()]).toEqual([0, mebibyte]);
  pool.take(elements(1));
  expect([pool.usedBytes(), pool.freeBytes()]).toEqual([mebibyte, 0]);
});

test("never gives an array that was forgotten", () => {
  const pool = createArrayPool();
  const seen = pool.take(5000);
  pool.forget(seen);
  expect(pool.take(5000).buffer).not.toBe(seen.buffer);
});

test("keeps all of a step's memory for the next step", () => {
  const pool = createArrayPool();
  const sizes = [1, 2, 3, 4, 8, 16, 32, 32, 32, 64];
  const first = step(pool, sizes);
  for (let i = 0; i < 50; i++) expect(step(pool, sizes)).toEqual(first);
  expect(pool.freeBytes()).toBe(194 * mebibyte);
});

test("lets go of memory for shapes that are not coming back", () => {
  const pool = createArrayPool();
  step(pool, [128, 128]);
  for (let i = 0; i < 100; i++) step(pool, [24, 24]);
  expect(pool.freeBytes()).toBe(48 * mebibyte);
});

test("lets go of what a larger step once needed beyond the usual one", () => {
  const pool = createArrayPool();
  const usual = step(pool, [32, 32, 32, 32, 32, 32]);
  for (let i = 0; i < 100; i++) step(pool, [32, 32]);
  expect(pool.freeBytes()).toBe(64 * mebibyte);
  for (const buffer of step(pool, [32, 32])) expect(usual).toContain(buffer);
});

test("does not grow with sizes that never recur", () => {
  const pool = createArrayPool();
  for (let size = 1; size <= 128; size++) {
    step(pool, [size]);
    expect(pool.freeBytes()).toBeLessThanOrEqual((1.5 * (size * 1.125) + 64) * mebibyte);
  }
});

test("waits with nothing after it was cleared", () => {
  const pool = createArrayPool();
  const before = step(pool, [1]);
  pool.clear();
  expect(pool.freeBytes()).toBe(0);
  expect(before).not.toContain(pool.take(elements(1)).buffer);
});

test("shows each new large array, once, and no small ones", () => {
  const fresh: Float32Array[] = [];
  const pool = createArrayPool((array) => fresh.push(array));
  pool.take(elements(1));
  const large = pool.take(elements(3));
  pool.giveBack(large);
  pool.take(elements(3));
  expect(fresh).toEqual([large]);
});
