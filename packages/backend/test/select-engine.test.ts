import type { Detection, Engine } from "@dino/backend";
import { expect, test } from "vitest";
import { startFirst, startNamed } from "../src/select-engine.ts";

/** An engine that notes its start. */
function engine(
  name: string,
  order: number,
  detection: Detection | Error,
  failure?: unknown,
): Engine & { readonly starts: () => number } {
  let starts = 0;
  return {
    name,
    order,
    starts: () => starts,
    detect: async () => {
      if (detection instanceof Error) throw detection;
      return detection;
    },
    start: async () => {
      starts++;
      if (failure !== undefined) throw failure;
    },
  };
}

const absent = { available: false, reason: "not installed", install: "npm i it" };

test("takes the first that is available, and says why not those before it", async () => {
  const second = engine("second", 2, { available: true });
  const third = engine("third", 3, { available: true });
  const { engine: taken, passedOver } = await startFirst(
    [engine("first", 1, absent), second, third],
    {},
  );
  expect(taken).toBe(second);
  expect(passedOver).toEqual([{ name: "first", reason: "not installed" }]);
  expect([second.starts(), third.starts()]).toEqual([1, 0]);
});

test("lets one that is poor on this machine stand further back", async () => {
  const slow = engine("slow", 1, { available: true, order: 3, reason: "no GPU" });
  const good = engine("good", 2, { available: true });
  const last = engine("last", 4, { available: true });
  expect(await startFirst([slow, good, last], {})).toMatchObject({
    engine: good,
    passedOver: [{ name: "slow", reason: "no GPU" }],
  });
  expect(await startFirst([slow, engine("bad", 2, absent), last], {})).toMatchObject({
    engine: slow,
    passedOver: [{ name: "bad", reason: "not installed" }],
  });
});

test("passes over what does not load or start", async () => {
  const last = engine("last", 3, { available: true });
  const broken = [
    engine("broken", 1, new Error("wrong ABI\nmore")),
    engine("stuck", 2, { available: true }, { message: "no memory" }),
  ];
  const { passedOver } = await startFirst([...broken, last], {});
  expect(passedOver).toEqual([
    { name: "broken", reason: "does not load: wrong ABI" },
    { name: "stuck", reason: "does not start: no memory" },
  ]);
  await expect(startFirst(broken, {})).rejects.toThrow(
    "backend: expected an engine that starts, got broken (does not load: wrong ABI), stuck (does not start: no memory)",
  );
});

test("says what to install for an engine that is asked for by name and is not there", async () => {
  const start = startNamed([engine("first", 1, absent)], "first", {});
  await expect(start).rejects.toThrow(
    "backend: expected first, got none (not installed); to install it: npm i it",
  );
  await expect(start).rejects.toMatchObject({ name: "BackendError", install: "npm i it" });
});

test("says why an engine that is asked for by name does not start, and takes no other", async () => {
  const cause = new Error("no memory");
  const other = engine("other", 2, { available: true });
  const start = startNamed([engine("first", 1, { available: true }, cause), other], "first", {});
  await expect(start).rejects.toThrow("backend: expected first to start, got no memory");
  await expect(start).rejects.toMatchObject({ cause });
  expect(other.starts()).toBe(0);
});
