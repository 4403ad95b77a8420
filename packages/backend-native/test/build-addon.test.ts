import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const source = resolve(import.meta.dirname, "..");
const rust = "Rust 1.89 or later (https://rustup.rs), then pnpm build";
let root: string;

beforeEach(() => {
  root = mkdtempSync(resolve(tmpdir(), "dino-addon-"));
  for (const part of ["tools", "Cargo.toml"]) {
    cpSync(resolve(source, part), resolve(root, part), { recursive: true });
  }
  mkdirSync(resolve(root, "bin"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test("without cargo it says so in one line, which it keeps, and leaves the engine out", () => {
  const { status, stdout, stderr } = buildAddon();
  const line = `native engine: not built, cargo was missing; to have it: ${rust}\n`;
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: line, stderr: "" });
  expect(notBuilt()).toEqual({ reason: "cargo was missing", remedy: rust });
});

test("without cargo it fails in CI", () => {
  expect(buildAddon({ CI: "true" }).status).toBe(1);
});

// Programs that stand in for cargo and rustc are shell scripts.
const posix = test.skipIf(process.platform === "win32");

posix("says that Rust is too old", () => {
  stand("cargo", "echo cargo 1.85.0");
  stand("rustc", rustc("1.85.0"));
  expect(buildAddon().status).toBe(0);
  expect(notBuilt()).toEqual({
    reason: "Rust 1.85.0 was older than 1.89",
    remedy: "Rust 1.89 or later (rustup update, or https://rustup.rs), then pnpm build",
  });
});

posix.each([
  [
    "error: failed to download from `https://index.crates.io/config.json`",
    "its crates could not be fetched",
  ],
  ["error: linker `cc` not found", "a C linker was missing"],
])("where cargo says %s it is left out", (said, reason) => {
  stand("cargo", `[ "$1" = --version ] && exit; echo '${said}' >&2; exit 101`);
  stand("rustc", rustc("1.95.0"));
  expect(buildAddon()).toMatchObject({ status: 0, stderr: `${said}\n` });
  expect(notBuilt()).toMatchObject({ reason });
});

posix("code that does not compile is a failure", () => {
  stand(
    "cargo",
    `[ "$1" = --version ] && exit; echo 'error[E0308]: mismatched types' >&2; exit 101`,
  );
  stand("rustc", rustc("1.95.0"));
  expect(buildAddon().status).toBe(101);
  expect(existsSync(resolve(root, "native/not-built.json"))).toBe(false);
});

posix("puts the library that cargo has made in its place, under the platform's name", () => {
  const library = resolve(root, "libdino_addon.so");
  writeFileSync(library, "machine code");
  const target = { name: "dino_addon", kind: ["cdylib"] };
  const message = JSON.stringify({ target, filenames: [library] });
  buildAddon(); // what it leaves behind without cargo is gone afterwards
  stand("cargo", `[ "$1" = --version ] && exit; echo '${message}'`);
  stand("rustc", rustc("1.95.0"));
  expect(buildAddon({ CI: "true" }).status).toBe(0);
  expect(readdirSync(resolve(root, "native"))).toEqual(["dino-native.linux-x64-musl.node"]);
  const built = resolve(root, "native/dino-native.linux-x64-musl.node");
  expect(readFileSync(built, "utf8")).toBe("machine code");
});

/** Runs the tool with no programs on the PATH but those that stand in. */
function buildAddon(extra: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/build-addon.mjs"], {
    cwd: root,
    encoding: "utf8",
    env: { PATH: resolve(root, "bin"), HOME: root, USERPROFILE: root, ...extra },
  });
  return { status, stdout, stderr };
}

function notBuilt(): unknown {
  return JSON.parse(readFileSync(resolve(root, "native/not-built.json"), "utf8"));
}

function stand(name: string, script: string): void {
  const file = resolve(root, "bin", name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function rustc(release: string): string {
  return `echo "release: ${release}"; echo "host: x86_64-unknown-linux-musl"`;
}
