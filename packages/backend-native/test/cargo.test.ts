import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findCargo, hasCommand } from "../tools/cargo.mjs";

const root = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
const cargo = findCargo();
const minutes = 60_000;

checks("the crates are formatted", "fmt", ["--all", "--check"]);
const strict = ["--", "--deny", "warnings"];
checks("clippy finds nothing in the kernels", "clippy", [
  ...["--locked", "--package", "dino-kernels", "--all-targets"],
  ...strict,
]);
// What Node links it with is not there for a test: the library alone. What it is made with was
// compiled for its release.
checks("clippy finds nothing in the addon", "clippy", [
  ...["--locked", "--package", "dino-addon", "--lib", "--release"],
  ...strict,
]);
checks("clippy finds nothing in the emulator", "clippy", [
  ...["--locked", "--package", "dino-emulator"],
  ...strict,
]);
checks("the tests of the crates pass", "test", [
  "--locked",
  "--quiet",
  "--package",
  "dino-kernels",
  "--lib", // there are no examples in comments, for which all would be compiled once more
]);

/** A test that a command of cargo succeeds; what it prints is the failure's message. */
function checks(name: string, command: string, args: readonly string[]): void {
  const { env, reason = `cargo ${command} was missing` } = cargo;
  const has = env !== undefined && (command === "test" || hasCommand(env, command));
  if (!has) process.stderr.write(`${name}: ${reason}\n`);
  test.skipIf(!has && !process.env.CI)(name, { timeout: 20 * minutes }, async () => {
    expect(has, reason).toBe(true);
    const options = { cwd: root, env, maxBuffer: 2 ** 26 };
    await run("cargo", [command, ...args], options).catch(({ stdout, stderr }) => {
      throw new Error(`${stdout}${stderr}`);
    });
  });
}
