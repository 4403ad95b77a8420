import { execFile, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { test } from "vitest";
import { findCargo } from "../tools/cargo.mjs";

const root = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
const { env, target, reason } = findCargo();
const timeout = 60 * 60_000;
const kernels = ["--locked", "--package", "dino-kernels"];
/** Faster than what the tests are compiled to otherwise, and with the lines that reports name. */
const profile = {
  CARGO_PROFILE_TEST_OPT_LEVEL: "1",
  CARGO_PROFILE_TEST_DEBUG: "line-tables-only",
};

const hasNightly = answers("cargo", ["+nightly", "--version"]);
const hasValgrind = answers("valgrind", ["--version"]);
if (!hasNightly) process.stderr.write(`AddressSanitizer: ${reason ?? "Rust nightly is missing"}\n`);
if (!hasValgrind) process.stderr.write(`valgrind: ${reason ?? "valgrind is missing"}\n`);

test.skipIf(!hasNightly)("AddressSanitizer finds nothing in the kernels' tests", { timeout }, () =>
  expectPasses("cargo", ["+nightly", "test", ...kernels, "--lib", "--target", target as string], {
    ...profile,
    RUSTFLAGS: "-Zsanitizer=address",
    CARGO_TARGET_DIR: resolve(root, "target/sanitizer"),
  }),
);

test.skipIf(!hasValgrind)("valgrind finds nothing in the kernels' tests", { timeout }, async () => {
  const build = ["test", ...kernels, "--lib", "--no-run", "--message-format=json"];
  const { stdout } = await run("cargo", build, {
    cwd: root,
    env: { ...env, ...profile },
    maxBuffer: 2 ** 26,
  });
  const [program] = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => (JSON.parse(line) as { readonly executable?: string | null }).executable)
    .filter((executable) => typeof executable === "string");
  // One thread of the harness: valgrind runs one at a time anyway, and they would wait in turn.
  const harness = [program as string, "--test-threads=1"];
  await expectPasses("valgrind", ["--error-exitcode=9", "--fair-sched=yes", ...harness]);
});

/** What the program prints is the message of the failure. */
async function expectPasses(command: string, args: readonly string[], extra = {}): Promise<void> {
  const options = { cwd: root, env: { ...env, ...extra }, maxBuffer: 2 ** 26 };
  await run(command, args, options).catch(({ stdout, stderr }) => {
    throw new Error(`${stdout}${stderr}`);
  });
}

function answers(command: string, args: readonly string[]): boolean {
  return env !== undefined && spawnSync(command, args, { env }).status === 0;
}
