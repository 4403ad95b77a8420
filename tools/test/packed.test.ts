import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const { packageManager } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));
const folder = mkdtempSync(resolve(tmpdir(), "dino-packed-"));
const tarballs = new Map<string, string>();

/** Every entry that a published package offers. */
const entries = readdirSync(resolve(root, "packages"))
  .map((name) => JSON.parse(readFileSync(resolve(root, "packages", name, "package.json"), "utf8")))
  .filter(({ private: isPrivate }) => !isPrivate)
  .flatMap(({ name, exports }) =>
    Object.keys(exports)
      .filter((entry) => !entry.endsWith(".json"))
      .map((entry) => name + entry.slice(1)),
  );

beforeAll(async () => {
  const packages = ["--recursive", "--filter", "./packages/*", "--filter", "!@dino/testing"];
  const pack = ["pack", "--pack-destination", folder];
  await run("npx", ["--yes", packageManager, ...packages, ...pack], { cwd: root });
  for (const file of readdirSync(folder)) {
    tarballs.set(`@dino/${file.replace(/^dino-/, "").replace(/-\d.*$/, "")}`, `file:../${file}`);
  }
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the loss and the schedules bring nothing else that is heavy, and their README runs", async () => {
  const project = await emptyProject("loss", ["@dino/loss", "@dino/schedulers"]);
  expect(readdirSync(resolve(project, "node_modules/@dino")).sort()).toEqual([
    "loss",
    "ops",
    "random",
    "schedulers",
  ]);
  expect(readdirSync(resolve(project, "node_modules"))).not.toContain("sharp");
  for (const name of ["loss", "schedulers"]) {
    const readme = readFileSync(resolve(project, `node_modules/@dino/${name}/README.md`), "utf8");
    const [, program = ""] = readme.match(/^```ts\n([\s\S]*?)^```$/m) ?? [];
    expect(program).not.toBe("");
    await expectTyped(project, program);
    await expectRuns(project);
  }
}, 240_000);

test("every entry of every package is typed under strict, and loads in plain Node", async () => {
  const project = await emptyProject("all", [...tarballs.keys()]);
  const program = entries
    .map(
      (entry, i) =>
        `import * as entry${i} from "${entry}";\nconsole.log("${entry}", Object.keys(entry${i}).length);`,
    )
    .join("\n");
  await expectTyped(project, program);
  const { stdout } = await expectRuns(project);
  expect(stdout.trim().split("\n").length).toBe(entries.length);
}, 240_000);

/** A project that depends on some of our packages and on tfjs; what they need of ours is packed too. */
async function emptyProject(name: string, packages: readonly string[]): Promise<string> {
  const project = resolve(folder, name);
  mkdirSync(project);
  const ours = Object.fromEntries(packages.map((each) => [each, tarballs.get(each)]));
  writeFileSync(
    resolve(project, "package.json"),
    JSON.stringify({
      type: "module",
      dependencies: { "@tensorflow/tfjs": "4.22.0", ...ours },
      overrides: Object.fromEntries([...tarballs].filter(([each]) => !packages.includes(each))),
    }),
  );
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], {
    cwd: project,
  });
  return project;
}

async function expectTyped(project: string, program: string): Promise<void> {
  writeFileSync(resolve(project, "program.ts"), program);
  writeFileSync(
    resolve(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        module: "NodeNext",
        target: "ES2022",
        lib: ["ES2023", "DOM"],
        types: [],
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: true, // tfjs's own declarations mention WebGPU's types
      },
      files: ["program.ts"],
    }),
  );
  const compiler = resolve(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await run(process.execPath, [compiler], { cwd: project }).catch(
    (error) => error,
  );
  expect(stdout).toBe("");
}

function expectRuns(project: string) {
  return run(process.execPath, ["program.js"], { cwd: project });
}
