import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dino, type Outcome } from "../dino.ts";
import { writePrograms } from "./programs.ts";
import { type Registry, startRegistry } from "./registry.ts";

const limit = 300_000;

let folder = "";
let registry: Registry;
let environment: Readonly<Record<string, string>> = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-engine-"));
  registry = await startRegistry();
  writeFileSync(join(folder, "npmrc"), "");
  environment = {
    HOME: folder,
    PATH: [writePrograms(folder), dirname(process.execPath), process.env.PATH].join(":"),
    DINO_ENGINES_DIR: join(folder, "engines"),
    npm_config_cache: join(folder, "cache"),
    npm_config_userconfig: join(folder, "npmrc"),
    npm_config_registry: registry.url,
    TEST_REGISTRY: registry.url,
  };
});
afterAll(async () => {
  await registry.close();
  rmSync(folder, { recursive: true });
});

const engine = () => join(folder, "engines", "tensorflow");
const inEngine = (...path: readonly string[]) => join(engine(), ...path);
const library = "python/tensorflow/libtensorflow_cc.so.2";
const packageFolder = "npm/node_modules/@tensorflow/tfjs-node";

function run(
  words: readonly string[],
  more: Readonly<Record<string, string>> = {},
  when?: Parameters<typeof dino>[1]["when"],
): Promise<Outcome> {
  const options = { cwd: folder, environment: { ...environment, ...more } };
  return dino(["engine", ...words], { ...options, ...(when && { when }) });
}

/** What doctor says of the engine. */
async function diagnosis(): Promise<Record<string, unknown> | undefined> {
  const { stdout, stderr } = await dino(["doctor", "--json"], { cwd: folder, environment });
  expect(stderr).toBe("");
  const { engines } = JSON.parse(stdout) as { readonly engines: Record<string, unknown>[] };
  return engines.find(({ name }) => name === "tensorflow");
}

test("says what there is to download, and downloads nothing", { timeout: limit }, async () => {
  const { code, stdout, stderr } = await run([
    "install",
    "tensorflow",
    "--gpu",
    "--dry-run",
    "--json",
  ]);
  expect(stderr).toMatch(/^ {2}tensorflow 2\.21\.0, from pip: 1 kB$/m);
  expect(stderr).toMatch(/^ {2}nvidia-cublas-cu12 2\.21\.0, from pip: 1 kB$/m);
  expect(stderr).toMatch(/^ {2}@tensorflow\/tfjs-node 4\.22\.0, from npm: .* with what it needs/m);
  expect(code).toBe(0);
  const { downloads, downloadBytes, gpu } = JSON.parse(stdout);
  expect(downloads.map(({ name }: { readonly name: string }) => name)).toEqual([
    "tensorflow",
    "nvidia-cublas-cu12",
    "@tensorflow/tfjs-node",
  ]);
  expect(downloadBytes).toBeGreaterThan(2000);
  expect(gpu).toBe(true);
  expect(existsSync(join(folder, "engines"))).toBe(false);
});

test("leaves nothing behind when a build fails, and tells its end", {
  timeout: limit,
}, async () => {
  const { code, stdout, stderr } = await run(["install", "tensorflow"], { TEST_BUILD: "fails" });
  expect(stderr).toContain("g++ is confused");
  expect(stderr.trimEnd().split("\n").at(-1)).toBe(
    "dino: npm rebuild @tensorflow/tfjs-node: expected it to end well, got exit code 1",
  );
  expect(stdout).toBe("");
  expect(code).toBe(1);
  expect(existsSync(join(folder, "engines"))).toBe(false);
});

test("leaves nothing behind when pip finds no wheel", { timeout: limit }, async () => {
  const { code, stderr } = await run(["install", "tensorflow"], { TEST_PIP: "fails" });
  expect(stderr).toContain("  ERROR: Could not find a version that satisfies the requirement");
  expect(stderr).toMatch(/^dino: python3 -m pip install: expected it to end well/m);
  expect(code).toBe(1);
  expect(existsSync(join(folder, "engines"))).toBe(false);
});

test("leaves nothing behind after Ctrl-C", { timeout: limit }, async () => {
  const stop = [
    "building the addon",
    (child) => child.kill("SIGINT"),
  ] as const satisfies Parameters<typeof run>[2];
  const { code, stderr } = await run(["install", "tensorflow"], { TEST_BUILD: "hangs" }, stop);
  expect(stderr).toContain("stopping; nothing is left behind");
  expect(code).toBe(130);
  expect(existsSync(join(folder, "engines"))).toBe(false);
});

test("installs it, with registries alone, and trains a step on it", {
  timeout: limit,
}, async () => {
  const { code, stdout, stderr } = await run(["install", "tensorflow", "--json"]);
  expect(stderr).toContain("checking it by a training step");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    engine: "tensorflow",
    folder: engine(),
    wasThere: false,
    tensorflow: "2.21.0",
    gpu: false,
    error: 0,
  });
  expect(registry.asked).toContain("/@tensorflow/tfjs-node.tgz");
  expect(readdirSync(join(folder, "engines"))).toEqual(["tensorflow"]);
  expect(readdirSync(inEngine("python"))).toEqual(["tensorflow"]);
  expect(readdirSync(inEngine("python", "tensorflow")).sort()).toEqual([
    "libtensorflow_cc.so.2",
    "libtensorflow_framework.so.2",
  ]);
  const { libraries } = JSON.parse(readFileSync(inEngine("installation.json"), "utf8"));
  expect(libraries).toMatchObject({
    [library]: 6,
    [`${packageFolder}/lib/napi-v8/tfjs_binding.node`]: 5,
  });
  expect(await diagnosis()).toMatchObject({ available: true, details: "2.21.0, GPU" });
});

test("checks the one that is there", { timeout: limit }, async () => {
  const asked = registry.asked.length;
  const { code, stdout, stderr } = await run(["install", "tensorflow"]);
  expect(stderr).toContain(`${engine()}: is there; checking it by a training step`);
  expect(stdout).toMatch(/^tensorflow: was there, [^ ]+ kB in /);
  expect(code).toBe(0);
  expect(registry.asked.length).toBe(asked);
});

test("goes on where the folder is moved to, and is missed where it was", {
  timeout: limit,
}, async () => {
  const elsewhere = join(folder, "elsewhere");
  renameSync(join(folder, "engines"), elsewhere);
  expect(await diagnosis()).toMatchObject({ available: false, reason: "not installed" });
  const moved = { ...environment, DINO_ENGINES_DIR: elsewhere };
  const { stdout } = await dino(["doctor"], { cwd: folder, environment: moved });
  expect(stdout).toMatch(/^ {2}\+ tensorflow +2\.21\.0, GPU/m);
  expect(stdout).toContain(
    `engines installed in ${elsewhere}: tensorflow (TensorFlow 2.21.0 under`,
  );
  renameSync(elsewhere, join(folder, "engines"));
});

test("names what is broken, and what would mend it", { timeout: limit }, async () => {
  writeFileSync(inEngine(library), "bin");
  expect(await diagnosis()).toMatchObject({
    available: false,
    reason: `broken in ${engine()}: ${library}: expected 6 bytes, got 3`,
    install: expect.stringContaining("engine install tensorflow"),
  });
  const bench = ["bench", "--backend", "tensorflow"];
  const { code, stderr } = await dino(bench, { cwd: folder, environment });
  expect(stderr).toMatch(
    /^dino: backend: expected tensorflow, got none \(broken in .*; to install it: /,
  );
  expect(code).toBe(1);
});

test("installs anew what is broken, with NVIDIA's libraries if asked", {
  timeout: limit,
}, async () => {
  const { code, stdout, stderr } = await run(["install", "tensorflow", "--gpu"]);
  expect(stderr).toContain(`is installed anew, since it is broken: ${library}: expected 6 bytes`);
  expect(stdout).toMatch(/^tensorflow: is installed in /);
  expect(code).toBe(0);
  expect(
    readFileSync(inEngine(packageFolder, "deps/nvidia/cublas/lib/libcublas.so.12"), "utf8"),
  ).toBe("binary");
  expect(readdirSync(join(folder, "engines"))).toEqual(["tensorflow"]);
});

test("says why one that looks sound fails, before it is installed anew", {
  timeout: limit,
}, async () => {
  writeFileSync(inEngine(packageFolder, "lib/napi-v8/tfjs_binding.node"), "nodda");
  const { stderr } = await run(["install", "tensorflow"], { TEST_PIP: "fails" });
  expect(stderr).toContain(
    `${engine()}: expected an engine that trains a step, got Error: tfjs_binding.node: invalid ELF header`,
  );
  expect(existsSync(engine())).toBe(true);
});

test("removes it", { timeout: limit }, async () => {
  const first = await run(["remove", "tensorflow"]);
  expect(first).toMatchObject({ code: 0, stdout: `tensorflow: ${engine()} is removed\n` });
  expect(existsSync(join(folder, "engines"))).toBe(false);
  const second = await run(["remove", "tensorflow", "--json"]);
  expect(JSON.parse(second.stdout)).toEqual({
    engine: "tensorflow",
    folder: engine(),
    removed: false,
  });
  expect(await diagnosis()).toMatchObject({ available: false, reason: "not installed" });
});

test("refuses an engine that it cannot install", async () => {
  const { code, stderr } = await run(["install", "jax"]);
  expect(stderr).toBe("dino: engine: expected one of tensorflow, got jax\n");
  expect(code).toBe(2);
});
