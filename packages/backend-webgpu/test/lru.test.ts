import { expect, test } from "vitest";
import { createLru } from "../src/lru.ts";

test("makes a value once, keeps what is used, and lets go of the rest", () => {
  const made: string[] = [];
  const kept = createLru<string>(4);
  const take = (key: string) =>
    kept.take(key, () => {
      made.push(key);
      return `value of ${key}`;
    });
  for (const key of ["a", "b", "a", "c"]) expect(take(key)).toBe(`value of ${key}`);
  expect(made).toEqual(["a", "b", "c"]);
  for (const key of ["a", "d"]) take(key); // used again, "a" outlives "b" and "c"
  expect(take("a")).toBe("value of a");
  expect(made).toEqual(["a", "b", "c", "d"]);
  expect(take("b")).toBe("value of b");
  expect(made).toEqual(["a", "b", "c", "d", "b"]);
});
