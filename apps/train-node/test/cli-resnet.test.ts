import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { dino } from "./dino.ts";
import { writePictures } from "./pictures.ts";
import { sharedDino } from "./shared-dino.ts";
import { workFolder } from "./work-folder.ts";

const folder = workFolder("cli-resnet");
beforeAll(async () => {
  await writePictures(join(folder, "photos"), { count: 4 });
});

const shared = sharedDino();
const run = (words: readonly string[]) => shared(words, { cwd: folder });
const small = "--arch resnet18 --global-crops-size 64 --local-crops-size 32 --local-crops-number 1";
const head = "--out-dim 16 --hidden-dim 16 --bottleneck-dim 8 --use-bn-in-head on";
const recipe = "--optimizer sgd --lr 0.03 --batch-size-per-gpu 4 --micro-batch 2";
const training = (name: string, ...words: string[]) => [
  ...["train", "photos", "--output-dir", name, "--warmup-epochs", "0", ...words],
  ...[small, head, recipe].flatMap((some) => some.split(" ")),
];
const document = (stdout: string) => JSON.parse(stdout);

test("a ResNet-18 trains at 64 pixels, goes on bit for bit, and is evaluated", {
  timeout: 300_000,
}, async () => {
  const whole = await run(training("whole", "--epochs", "2", "--json"));
  expect(document(whole.stdout)).toMatchObject({ steps: 4, backend: "wasm" });
  expect(document(whole.stdout).loss).toBeGreaterThan(0);

  const stopped = await dino(training("half", "--epochs", "2"), {
    cwd: folder,
    when: ["epoch 1:", (child) => child.kill("SIGINT")],
  });
  expect(stopped.code).toBe(130);
  const resumed = await run(["train", "--resume", "half", "--json"]);
  expect(document(resumed.stdout).resumedFrom).toBeGreaterThan(0);
  const states = ["whole", "half"].map((name) =>
    readFileSync(join(folder, name, "checkpoints", "last.safetensors")),
  ) as [Buffer, Buffer];
  expect(states[0].equals(states[1])).toBe(true);

  const weights = ["--weights", "whole"];
  const judged = await run(["eval", "knn", ...weights, "--train", "photos", "--k", "3", "--json"]);
  expect(judged.stderr).toContain("resnet18, width 512");
  expect(document(judged.stdout).top1[3]).toBeGreaterThanOrEqual(50);
  const features = async (weights: string, out: string) => {
    const words = ["--weights", weights, "--format", "npy", "--out", out];
    const { stdout } = await run(["features", "photos", ...words, "--image-size", "64", "--json"]);
    expect(document(stdout)).toMatchObject({ count: 8, dim: 512 });
    return readFileSync(join(folder, out, "features.npy"));
  };
  const expected = await features(join("whole", "exported", "backbone.safetensors"), "features");
  for (const [out, ...format] of [
    ["x.pth"],
    ["hf", "--format", "hf"],
    ["timm", "--format", "timm"],
  ]) {
    const converted = await run(["convert", "whole", "--out", out as string, ...format, "--json"]);
    expect(document(converted.stdout)).toMatchObject({ what: "backbone", tensors: 120 });
    expect((await features(out as string, `features-${out}`)).equals(expected)).toBe(true);
  }

  const blind = await run(["attention", "photos/red/0.png", ...weights, "--out", "seen"]);
  expect(blind.code).toBe(1);
  expect(blind.stderr).toMatch(
    /last\.safetensors: expected a Vision Transformer, got resnet18: a ResNet has no attention and no tokens\n$/,
  );

  const begun = await run([
    ...["train", "photos", "--arch", "vit_tiny", "--patch-size", "8", "--global-crops-size", "32"],
    ...["--local-crops-size", "16", "--batch-size-per-gpu", "4", "--epochs", "1"],
    ...["--warmup-epochs", "0", "--out-dim", "8", "--init-weights", "whole"],
  ]);
  expect(begun.code).toBe(1);
  expect(begun.stderr).toContain("expected a Vision Transformer (--arch), got resnet18");
});

test("a ResNet's work is counted", { timeout: 120_000 }, async () => {
  const words = "--batch-size-per-gpu 2 --optimizer lars --steps 1 --json".split(" ");
  const { stdout } = await run([
    "bench",
    ...[small, head].flatMap((some) => some.split(" ")),
    ...words,
  ]);
  // Two views at 64 pixels and one at 32, 0.296 and 0.074 GFLOP forward.
  expect(document(stdout).gflopPerImage).toBeCloseTo(2 * 0.296 + 3 * (2 * 0.296 + 0.074), 0);
});
