import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");

const { packageManager } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));

const quiet = {
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
  npm_config_update_notifier: "false",
};

/** Runs a program in the workspace; a failure ends this process with the same code. */
export function run(command, args, { stdio = "inherit", env = {} } = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio,
    env: { ...process.env, ...quiet, ...env },
    shell: process.platform === "win32",
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** The exact pnpm that the workspace names, fetched by npx: nothing is installed globally. */
export function pnpm(args, options) {
  run("npx", ["--yes", packageManager, ...args], options);
}

/** Installs the dependencies that the lock file names. */
export function install() {
  pnpm(["install", "--frozen-lockfile", "--prefer-offline"]);
}

/** Builds every package, runs other tasks of turbo, and tells if the native engine was left out. */
export function build(...tasks) {
  pnpm(["exec", "turbo", "run", "build", ...tasks, "--output-logs=errors-only"]);
  const account = resolve(root, "packages/backend-native/native/not-built.json");
  if (!existsSync(account)) return;
  const { reason, remedy } = JSON.parse(readFileSync(account, "utf8"));
  console.log(`native engine: not built, ${reason}; to have it: ${remedy}`);
}
