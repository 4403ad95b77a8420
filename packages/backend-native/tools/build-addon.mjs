// Builds the addon with cargo into `native`. Where that cannot be, it says why in one line, which
// `native/not-built.json` keeps; with CI=true that is a failure.
//
//   node tools/build-addon.mjs [--platform linux-arm64-musl] [--zig]
//
// `--zig` links with zig (cargo-zigbuild), for platforms other than this one and, on Linux, for
// the oldest C library that Node runs with.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { findCargo } from "./cargo.mjs";
import { fileName, platforms } from "./platforms.mjs";

/** What Node 20 is built against. */
const oldestGlibc = "2.28";

/** What cargo or the linker says, and what it means to whoever has neither network nor compiler. */
const obstacles = [
  {
    says: /failed to download|failed to fetch|failed to query replaced source|Could not (?:resolve|connect)|--offline/i,
    reason: "its crates could not be fetched",
    remedy: "a connection to crates.io",
  },
  {
    says: /linker `.*` not found/,
    reason: "a C linker was missing",
    remedy:
      "a C compiler (build-essential, Xcode's command line tools, Visual Studio's build tools)",
  },
];

const root = resolve(import.meta.dirname, "..");
const native = resolve(root, "native");
const notBuilt = resolve(native, "not-built.json");
const { values } = parseArgs({
  options: { platform: { type: "string" }, zig: { type: "boolean" } },
});

mkdirSync(native, { recursive: true });
const { env, target: host, reason, remedy } = findCargo();
if (reason) leaveOut(reason, remedy);
else await build();

async function build() {
  const own = Object.keys(platforms).find((name) => platforms[name].target === host);
  const platform = values.platform ?? own;
  if (platform === undefined) {
    leaveOut(`there was no platform for ${host}`, "one of the platforms that its README names");
    return;
  }
  if (!Object.hasOwn(platforms, platform)) {
    const names = Object.keys(platforms).join(", ");
    throw new Error(`--platform: expected one of ${names}, got ${platform}`);
  }
  const { target, libc } = platforms[platform];
  const { status, said, library } = await cargo([
    ...(values.zig
      ? ["zigbuild", "--target", libc === "glibc" ? `${target}.${oldestGlibc}` : target]
      : ["build", ...(platform === own ? [] : ["--target", target])]),
    ...["--release", "--locked", "--package", "dino-addon"],
  ]);
  if (library !== undefined) {
    const file = resolve(native, fileName(platform));
    // Whole or not at all, and never under a process that has the old one loaded.
    copyFileSync(library, `${file}.${process.pid}`);
    renameSync(`${file}.${process.pid}`, file);
    rmSync(notBuilt, { force: true });
    return;
  }
  const obstacle = obstacles.find(({ says }) => says.test(said));
  if (obstacle) leaveOut(obstacle.reason, obstacle.remedy);
  else process.exitCode = status || 1;
}

/** Runs cargo: its exit status, what it said, and the library that it has made. */
function cargo(args) {
  const format = "--message-format=json-render-diagnostics";
  const child = spawn("cargo", [...args, format], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let messages = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
    process.stderr.write(text);
  });
  child.stdout.setEncoding("utf8").on("data", (text) => {
    messages += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (status) => {
      const made = messages
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line))
        .find(({ target }) => target?.name === "dino_addon" && target.kind.includes("cdylib"));
      const library = made?.filenames.find((name) => /\.(so|dylib|dll)$/.test(name));
      resolve({ status, said, library: status === 0 ? library : undefined });
    });
  });
}

function leaveOut(reason, need) {
  const remedy = `${need}, then pnpm build`;
  writeFileSync(notBuilt, `${JSON.stringify({ reason, remedy })}\n`);
  process.stdout.write(`native engine: not built, ${reason}; to have it: ${remedy}\n`);
  if (process.env.CI) process.exitCode = 1;
}
