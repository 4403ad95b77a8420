import { execFile } from "node:child_process";
import {
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
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const { packageManager } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));
const folder = mkdtempSync(resolve(tmpdir(), "dino-packed-"));
const tarballs = new Map<string, string>();

/** Platforms that there is an addon for: this one, where it was built. */
const native = resolve(root, "packages/backend-native/native");
const platforms = (existsSync(native) ? readdirSync(native) : []).flatMap(
  (file) => file.match(/^dino-native\.(.+)\.node$/)?.[1] ?? [],
);

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
  // As they were built: what would build them again before they are packed is left out.
  await pack(["./packages/*", "!@dino/testing", "!@dino/browser-tests"], "--config.ignore-scripts");
  const addons = platforms.map((platform) => `@dino/backend-native-${platform}`);
  if (addons.length > 0) await pack(addons);
  for (const file of readdirSync(folder)) {
    tarballs.set(`@dino/${file.replace(/^dino-/, "").replace(/-\d.*$/, "")}`, `file:../${file}`);
  }
}, 240_000);

function pack(packages: readonly string[], ...options: string[]) {
  const filters = packages.flatMap((each) => ["--filter", each]);
  const words = ["--recursive", ...filters, "pack", "--pack-destination", folder, ...options];
  return run("npx", ["--yes", packageManager, ...words], { cwd: root });
}

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

test.skipIf(platforms.length === 0 && !process.env.CI)(
  "the native engine comes with the package of its platform, and trains",
  { timeout: 240_000 },
  async () => {
    const needed = ["backend", "backbones", "loss", "optimizers", "trainer"];
    const project = await emptyProject(
      "native",
      needed.map((name) => `@dino/${name}`),
    );
    const installed = readdirSync(resolve(project, "node_modules/@dino"));
    expect(installed.filter((name) => name.startsWith("backend-native-")).length).toBe(1);
    await expectTyped(project, trainsOnNative);
    const { stdout } = await expectRuns(project);
    expect(stdout).toMatch(/^backend: native \(.+\) · asked: native\n1 true\n$/);
  },
);

const trainsOnNative = `
import { dinoHead, dinoNetwork } from "@dino/backbones";
import { vit } from "@dino/backbones/vit";
import { startBackend } from "@dino/backend";
import { dinoLoss } from "@dino/loss";
import { adamW } from "@dino/optimizers";
import { createTrainer, ema } from "@dino/trainer";
import * as tf from "@tensorflow/tfjs";

console.log(await startBackend("native"));
const backbone = vit({ embedDim: 24, depth: 2, heads: 3, patchSize: 8, imageSize: 32 });
const head = dinoHead({ inputs: 24, prototypes: 64, hidden: 32, bottleneck: 16 });
const trainer = createTrainer({
  network: dinoNetwork(backbone, head),
  loss: dinoLoss({ prototypes: 64 }),
  optimizer: adamW(),
  teacher: ema(() => 0.99),
  learningRate: () => 1e-3,
  weightDecay: () => 0.04,
  teacherTemperature: () => 0.04,
  seed: 0,
});
trainer.train([
  tf.randomNormal<tf.Rank.R4>([8, 32, 32, 3]),
  tf.randomNormal<tf.Rank.R4>([8, 16, 16, 3]),
]);
console.log(trainer.step, Number.isFinite((await trainer.metrics()).loss));
`;

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
