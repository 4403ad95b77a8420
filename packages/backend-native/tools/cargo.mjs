import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** The Rust that the crates need. */
const [, wanted] = readFileSync(resolve(root, "Cargo.toml"), "utf8").match(
  /^rust-version = "(.*)"/m,
);

/**
 * The environment in which `cargo` is found, and the target that it builds for; or why there is
 * none, and what would help.
 *
 * @returns {{ env?: NodeJS.ProcessEnv, target?: string, reason?: string, remedy?: string }}
 */
export function findCargo() {
  // rustup changes the PATH of terminals that are opened later.
  const own = resolve(process.env.CARGO_HOME || resolve(homedir(), ".cargo"), "bin");
  const path = [process.env.PATH, own].filter(Boolean).join(delimiter);
  const env = { ...process.env, PATH: path };
  if (answers("cargo", ["--version"], env) === undefined) return missing("cargo was missing");
  const about = answers("rustc", ["--version", "--verbose"], env);
  if (about === undefined) return missing("rustc was missing");
  const [, release] = about.match(/^release: (.*)$/m);
  const [, target] = about.match(/^host: (.*)$/m);
  if (isOlder(release, wanted)) {
    return {
      reason: `Rust ${release} was older than ${wanted}`,
      remedy: `Rust ${wanted} or later (rustup update, or https://rustup.rs)`,
    };
  }
  return { env, target };
}

/** Whether cargo has a command, such as "clippy", that not every installation brings. */
export function hasCommand(env, name) {
  return answers("cargo", [name, "--version"], env) !== undefined;
}

function missing(reason) {
  return { reason, remedy: `Rust ${wanted} or later (https://rustup.rs)` };
}

function answers(command, args, env) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, env, encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

function isOlder(release, than) {
  const [a, b] = [release, than].map((version) => version.split(".").map(Number.parseFloat));
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
