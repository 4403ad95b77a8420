// Runs a program on an emulated processor, in which the addon and the kernels' tests find AVX-512
// and bfloat16: on x64 Linux with AVX2, cargo, and python3 with pip, which fetches the emulator.
//
//   node tools/emulate.mjs [--processor tiger-lake] [COMMAND ARGUMENTS…]
//
// Without a command it runs this package's tests. Slow: what takes a second takes minutes.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { findCargo } from "./cargo.mjs";

/** Where processors stand in the list of Bochs's models. */
const processors = {
  "sapphire-rapids": 30, // AVX-512 with products of bfloat16
  "tiger-lake": 29, // AVX-512 alone
};
/** The wheel's parts do not depend on Python's version but for their names. */
const wheel = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"];

const root = resolve(import.meta.dirname, "..");
const workspace = resolve(root, "../..");
const target = resolve(root, "target");
const everyTest = ["npx", "vitest", "run", "--project", "backend-native", "--testTimeout=3600000"];

const [options, command] = divide(process.argv.slice(2));
const { processor } = parseArgs({
  args: options,
  options: { processor: { type: "string", default: "sapphire-rapids" } },
}).values;
if (!Object.hasOwn(processors, processor)) {
  const names = Object.keys(processors).join(", ");
  throw new Error(`--processor: expected one of ${names}, got ${processor}`);
}
if (process.platform !== "linux" || process.arch !== "x64") {
  throw new Error(`expected x64 Linux, got ${process.platform} on ${process.arch}`);
}

const library = fetchBochs();
const emulator = buildEmulator();
const folder = mkdtempSync(resolve(tmpdir(), "dino-emulate-"));
const counts = resolve(folder, "counts");
const [program, ...rest] = command.length > 0 ? command : everyTest;
const child = spawn(program, rest, {
  cwd: command.length > 0 ? process.cwd() : workspace,
  stdio: "inherit",
  env: {
    ...process.env,
    LD_PRELOAD: emulator,
    DINO_BOCHS: library,
    DINO_EMULATED_MODEL: String(processors[processor]),
    DINO_EMULATED_COUNTS: counts,
  },
});
child.on("error", ({ message }) => {
  process.stderr.write(`emulate: ${message}\n`);
  process.exitCode = 1;
});
child.on("close", (status) => {
  process.exitCode ||= status ?? 1;
  process.stderr.write(`emulate: ${account(counts)}\n`);
  rmSync(folder, { recursive: true });
});

/** Options come first; the command begins with the first word that is none. */
function divide(words) {
  const start = words[0] === "--processor" ? 2 : words[0]?.startsWith("--") ? 1 : 0;
  return [words.slice(0, start), words.slice(start)];
}

/** Bochs's library, from PyPI when it is not there yet. */
function fetchBochs() {
  const place = resolve(target, "bochscpu-0.4.0");
  const file = resolve(place, "bochscpu/_bochscpu.cpython-311-x86_64-linux-gnu.so");
  if (existsSync(file)) return file;
  const fresh = `${place}.${process.pid}`;
  const from = ["--requirement", resolve(import.meta.dirname, "bochscpu.txt")];
  const how = ["--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", ...wheel];
  run("python3", ["-m", "pip", "install", ...how, ...from, "--target", fresh]);
  rmSync(place, { recursive: true, force: true });
  renameSync(fresh, place);
  return file;
}

function buildEmulator() {
  const { env, reason, remedy } = findCargo();
  if (reason) throw new Error(`${reason}; to have it: ${remedy}`);
  run("cargo", ["build", "--release", "--locked", "--quiet", "--package", "dino-emulator"], env);
  return resolve(target, "release/libdino_emulator.so");
}

function run(name, args, env = process.env) {
  const { status, error } = spawnSync(name, args, { cwd: root, env, stdio: ["ignore", 2, 2] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${name} ${args[0]}: exit status ${status}`);
}

/** What was run, by the numbers that the emulator has left. */
function account(file) {
  if (!existsSync(file)) return "nothing was run on the emulated processor";
  const numbers = new BigUint64Array(new Uint8Array(readFileSync(file)).buffer);
  const [all, wide, products, roundings] = [...numbers].map((n) => n.toLocaleString("en"));
  return (
    `${all} instructions on the emulated processor (${processor}), ${wide} of them of AVX-512, ` +
    `among these ${products} vdpbf16ps and ${roundings} vcvtneps2bf16`
  );
}
