import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dino, tiny } from "./dino.ts";
import { writePictures } from "./pictures.ts";
import { sharedDino } from "./shared-dino.ts";

const shared = sharedDino();
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-usage-"));
  await writePictures(join(folder, "photos"));
  mkdirSync(join(folder, "empty"));
  mkdirSync(join(folder, "texts"));
  mkdirSync(join(folder, "broken"));
  for (let i = 0; i < 5; i++) writeFileSync(join(folder, "broken", `${i}.png`), "no picture");
  writeFileSync(join(folder, "texts", "a.txt"), "text");
  writeFileSync(join(folder, "file"), "text");
  writeFileSync(join(folder, "bad.safetensors"), "text");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs it, and expects one sentence on standard error, nothing on standard output, and no run. */
async function expectFailure(
  words: readonly string[],
  code: number,
  sentence: RegExp,
  run: typeof shared = shared,
): Promise<void> {
  const before = readdirSync(folder);
  const outcome = await run(words, { cwd: folder });
  const lines = outcome.stderr.trimEnd().split("\n");
  expect(lines.at(-1)).toMatch(sentence);
  expect(lines.filter((line) => line.startsWith("dino: "))).toHaveLength(1);
  expect(outcome.stderr).not.toMatch(/^ +at /m);
  expect(outcome.stdout).toBe("");
  expect(outcome.code).toBe(code);
  expect(readdirSync(folder)).toEqual(before);
}

const training = (...words: string[]) => [
  "train",
  "photos",
  ...tiny,
  "--output-dir",
  "run",
  ...words,
];
const short = ["--epochs", "4steps", "--warmup-epochs", "1step"];

test.each<[string, string[], RegExp]>([
  ["no command", [], /^dino: expected a command, got none/],
  ["an unknown command", ["trian"], /^dino: unknown command 'trian'/],
  ["an unknown flag", training("--lrr", "1"), /^dino: --lrr: unknown flag \(Did you mean --lr\?\)/],
  [
    "a flag without its value",
    ["train", "photos", "--lr"],
    /^dino: option '--lr <number>' argument missing/,
  ],
  ["a second folder", ["train", "photos", "photos"], /^dino: too many arguments/],
  ["no folder", ["train"], /^dino: FOLDER: expected a folder of pictures, got none/],
  [
    "a value out of range",
    training("--lr", "-1"),
    /^dino: --lr: expected a number above 0, got "-1"/,
  ],
  ["a flag of the reference", training("--dist_url", "env://"), /^dino: --dist-url: one process/],
  [
    "a crop that the patch does not divide",
    training("--local-crops-size", "20"),
    /^dino: --local-crops-size: expected a multiple of the patch/,
  ],
  [
    "a blunt teacher",
    training("--teacher_temp", "0.1"),
    /^dino: --teacher-temp: expected .*below 0.1, the student's temperature, got "0.1"/,
  ],
  [
    "a warm-up longer than the run",
    training("--epochs", "2", "--warmup-epochs", "3"),
    /^dino: --warmup-epochs: expected at most the run of 2 epochs \(--epochs\), got 3 epochs/,
  ],
  [
    "a warm-up of more steps than the run",
    training("--epochs", "1", "--warmup-epochs", "50steps"),
    /^dino: --warmup-epochs: expected at most the run of 1 epoch/,
  ],
  ["an unknown preset", training("--preset", "huge"), /^dino: --preset: expected one of/],
  [
    "an unknown engine",
    training(...short, "--backend", "abacus"),
    /^dino: --backend: expected one of auto, .*, got abacus/,
  ],
  [
    "a missing file of settings",
    training("--config", "none.yaml"),
    /^dino: --config: expected a file of settings/,
  ],
  ["no weights", ["attention", "file"], /^dino: required option '--weights <path>' not specified/],
  [
    "steps out of range",
    ["bench", "--steps", "0"],
    /^dino: --steps: expected a whole number from 1 to 1000, got "0"/,
  ],
  [
    "an unknown precision",
    training(...short, "--precision", "fp16"),
    /^dino: --precision: expected one of fp32, bf16, f16, auto, got "fp16"/,
  ],
  [
    "an unknown engine to compare",
    ["bench", "--compare", "wasm,abacus"],
    /^dino: --compare: expected some of .*wasm.*, got abacus/,
  ],
  [
    "one engine beside a comparison",
    ["bench", "--compare", "--backend", "wasm"],
    /^dino: --backend: expected none beside --compare/,
  ],
  [
    "neighbours that are none",
    ["eval", "knn", "--weights", "x", "--train", "photos", "--k", "0"],
    /^dino: --k: expected whole numbers from 1, such as 10,20, got "0"/,
  ],
  [
    "no model to judge",
    ["eval", "knn", "--train", "photos"],
    /^dino: --weights: expected a model \(or --load-features\), got none/,
  ],
  [
    "no pictures to judge by",
    ["eval", "knn", "--weights", "x"],
    /^dino: --train: expected a folder of class folders \(or --data-path\), got none/,
  ],
  [
    "a model beside features",
    ["eval", "knn", "--load-features", "x", "--data-path", "photos"],
    /^dino: --data-path: expected none beside --load-features/,
  ],
  [
    "more neighbours than pictures",
    ["eval", "knn", "--weights", "x", "--train", "photos", "--k", "100"],
    /^dino: --k: expected at most 19, .*, got 100/,
  ],
])("ends with 2 for %s", (_, words, sentence) => expectFailure(words, 2, sentence));

test.each<[string, string[], RegExp]>([
  ["a missing folder", ["train", "nowhere"], /^dino: nowhere: /],
  ["a file in place of a folder", ["train", "file"], /^dino: file: is not a folder/],
  ["an empty folder", ["train", "empty"], /^dino: empty: has no pictures/],
  ["a folder without pictures", ["train", "texts"], /^dino: texts: has no pictures.*1 \.txt/],
  ["unreadable pictures", ["train", "broken"], /^dino: broken: none of its 5 pictures can be read/],
  [
    "fewer pictures than a batch",
    training(...short, "--batch-size-per-gpu", "64"),
    /^dino: photos: expected at least a batch of 64 pictures, got 20/,
  ],
  [
    "a folder that cannot be written",
    ["train", "photos", ...tiny, ...short, "--output-dir", "file/run"],
    /^dino: file\/run: expected a folder that can be written, got ENOTDIR/,
  ],
  ["a missing k-NN folder", training(...short, "--knn-train", "nowhere"), /^dino: nowhere: /],
  [
    "k-NN pictures without classes",
    training(...short, "--knn-train", "photos/red"),
    /^dino: photos\/red: expected pictures in one folder for each class, got a flat one/,
  ],
  [
    "weights to begin with that are missing",
    training(...short, "--init-weights", "none"),
    /^dino: none: expected a run or a file of weights, got nothing/,
  ],
  [
    "a bad checkpoint to begin with",
    training(...short, "--init-weights", "bad.safetensors"),
    /^dino: .*bad\.safetensors/,
  ],
  [
    "a run to go on with that is missing",
    ["train", "--resume", "none"],
    /^dino: none: expected the folder of a run, got nothing/,
  ],
  [
    "a folder that is no run",
    ["train", "--resume", "photos"],
    /^dino: photos: expected the folder of a run, got none/,
  ],
  ["a bad checkpoint", ["inspect", "bad.safetensors"], /^dino: bad\.safetensors: /],
  [
    "a missing checkpoint",
    ["inspect", "none"],
    /^dino: none: expected a run or a file of weights, got nothing/,
  ],
  ["missing weights", ["attention", "file", "--weights", "none"], /^dino: none: expected/],
  [
    "an engine that is not installed",
    training(...short, "--backend", "tensorflow"),
    /^dino: .*tensorflow.*not installed/,
  ],
  [
    "a precision that the engine has not",
    training(...short, "--precision", "bf16"),
    /^dino: precision: expected fp32 or auto for wasm, got bf16 \(no bf16\)/,
  ],
])("ends with 1 for %s", (_, words, sentence) => expectFailure(words, 1, sentence));

test("ends a process so", { timeout: 120_000 }, async () => {
  await expectFailure(["trian"], 2, /^dino: unknown command 'trian'/, dino);
  await expectFailure(["train", "nowhere"], 1, /^dino: nowhere: /, dino);
});

test("ends quietly when nobody reads what it writes", async () => {
  const program = fileURLToPath(new URL("../bin/dino.js", import.meta.url));
  const child = spawn(process.execPath, [program, "train", "--help"]);
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test("shows help and version on standard output", async () => {
  const help = await shared(["train", "--help"], { cwd: folder });
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toMatch(/--momentum-teacher <number>[\s\S]*Presets:\n {2}vit-small /);
  const version = await dino(["--version"], { cwd: folder });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("says which settings it chose, and why", async () => {
  const words = ["train", "photos", "--print-config", "--json"];
  const { code, stdout, stderr } = await dino(words, { cwd: folder });
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /preset for 20 pictures on wasm \(slow-cpu\): vit_tiny\/8 \(width 96, depth 6\)/,
  );
  expect(stdout.split("\n")).toHaveLength(2);
  expect(JSON.parse(stdout)).toMatchObject({
    "out-dim": { value: 1024, origin: "preset for 20 pictures on a slow-cpu" },
    backend: { value: "wasm", origin: "DINO_BACKEND" },
    seed: { value: 0, origin: "default" },
  });
});
