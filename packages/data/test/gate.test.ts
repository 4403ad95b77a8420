import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { createGate } from "../src/node/gate.ts";

/** The most of `count` tasks that a gate for pictures of `meanBytes` has under way at once. */
async function most(count: number, meanBytes: number) {
  const gate = createGate(() => meanBytes);
  const begun: number[] = [];
  let [running, peak] = [0, 0];
  const tasks = Array.from({ length: count }, (_, i) =>
    gate.run(async () => {
      begun.push(i);
      peak = Math.max(peak, ++running);
      await new Promise(setImmediate);
      running--;
    }),
  );
  await Promise.all(tasks);
  expect(begun).toEqual([...Array(count).keys()]);
  return peak;
}

test("lets as many pictures in as fit in memory, in order", async () => {
  expect(await most(500, 1000)).toBe(500);
  expect(await most(500, 2 ** 29 / 100)).toBeLessThanOrEqual(
    Math.max(100, 2 * availableParallelism()),
  );
});

test("lets in enough for every processor, before sizes are known and however large they are", async () => {
  expect(await most(500, 0)).toBe(2 * availableParallelism());
  expect(await most(500, 2 ** 32)).toBe(2 * availableParallelism());
});

test("goes on after a task that fails", async () => {
  const gate = createGate(() => 2 ** 32);
  const tasks = Array.from({ length: 100 }, (_, i) =>
    gate.run(async () => {
      if (i % 2 === 0) throw new Error(`${i}`);
      return i;
    }),
  );
  const results = await Promise.allSettled(tasks);
  expect(results.filter(({ status }) => status === "fulfilled").length).toBe(50);
});
