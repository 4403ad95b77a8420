import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import type { AddonError } from "../src/addon.ts";

const folder = mkdtempSync(resolve(tmpdir(), "dino-addon-"));

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test("an addon that does not load is an error with the first line of the loader's", async () => {
  const file = resolve(folder, "broken.node");
  writeFileSync(file, "no machine code");
  vi.stubEnv("DINO_NATIVE_ADDON", file);
  // A module of its own: the other tests' has loaded theirs.
  const fresh = "../src/addon.ts?fresh";
  const { addon } = (await import(fresh)) as typeof import("../src/addon.ts");
  const error = failure(addon);
  expect(error.message).toMatch(/^does not load: .*broken\.node/);
  expect(error.message).not.toContain("\n");
  expect(error.install).toBeUndefined();
});

function failure(run: () => unknown): AddonError {
  try {
    run();
  } catch (error) {
    return error as AddonError;
  }
  throw new Error("expected a failure, got none");
}
