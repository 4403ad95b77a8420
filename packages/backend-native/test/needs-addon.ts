import { describe, test } from "vitest";
import { addon } from "../src/addon.ts";

const absence = reasonOfAbsence();

/** Whether the addon loads. */
export const hasAddon: boolean = absence === undefined;

/**
 * Tests that need the addon. Without it they count as skipped, with a line that says what to
 * install; with `CI=true` they fail. `tests` is called either way, and must not use the addon
 * itself outside of its tests and hooks.
 */
export function describeWithAddon(name: string, tests: () => void): void {
  if (absence === undefined) describe(name, tests);
  else if (process.env.CI === "true") {
    test(name, () => {
      throw new Error(absence);
    });
  } else {
    process.stderr.write(`skipped: ${name}: ${absence}\n`);
    describe.skip(name, tests);
  }
}

function reasonOfAbsence(): string | undefined {
  try {
    addon();
    return undefined;
  } catch (error) {
    const remedy = "install Rust (https://rustup.rs) and run `npm run build`";
    const [reason] = (error as Error).message.split("\n");
    return `${reason}; ${remedy}`;
  }
}
