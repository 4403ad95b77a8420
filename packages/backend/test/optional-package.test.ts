import { expect, test } from "vitest";
import { isInstalled, optionalPackage } from "../src/engines/node/optional-package.ts";

test("finds a package that is there", async () => {
  const { module } = await optionalPackage<object>("vitest");
  expect(module).toHaveProperty("expect");
  expect(isInstalled("@tensorflow/tfjs-core")).toBe(true);
});

test("tells a package that is absent from one that does not load", async () => {
  expect(await optionalPackage("@dino/not-there")).toEqual({ reason: "not installed" });
  expect(isInstalled("@dino/not-there")).toBe(false);
  expect(await optionalPackage("data:text/javascript,throw new Error('wrong ABI')")).toEqual({
    reason: "does not load: wrong ABI",
  });
});
