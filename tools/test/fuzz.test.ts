import { expect, test } from "vitest";
import { fuzz } from "../fuzz/fuzz.mjs";

test("takes ten thousand changed files or refuses them, and never fails otherwise", async () => {
  const { counts, fault } = await fuzz({ seed: 1, runs: 10_000 });
  expect(fault).toBeUndefined();
  for (const [kind, { read, refused }] of Object.entries(counts)) {
    // Both happen to every kind, or the changes are too small or too large to test anything.
    expect([kind, read > 20, refused > 20]).toEqual([kind, true, true]);
  }
  const total = Object.values(counts).reduce((sum, { read, refused }) => sum + read + refused, 0);
  expect(total).toBe(10_000);
}, 900_000); // some seconds, unless the machine is busy
