import { cpSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint } from "@dino/checkpoint/node";
import { beforeAll, expect, test } from "vitest";
import { dino, tiny } from "./dino.ts";
import { writePictures } from "./pictures.ts";
import { sharedDino } from "./shared-dino.ts";
import { workFolder } from "./work-folder.ts";

const folder = workFolder("cli-linear");
beforeAll(async () => {
  await writePictures(join(folder, "photos", "train"), { count: 13 });
  await writePictures(join(folder, "photos", "val"), { count: 5 });
  const schedule = ["--epochs", "1step", "--warmup-epochs", "0", "--output-dir", "run"];
  const trained = await run("train", "photos/train", ...tiny, ...schedule);
  expect(trained.stderr).toContain("1 steps done");
});

const shared = sharedDino();
const run = (...words: string[]) => shared(words, { cwd: folder });
const linear = ["eval", "linear", "--weights", "run", "--data-path", "photos", "--json"];
const short = ["--epochs", "4", "--batch-size-per-gpu", "8", "--lr", "3", "--val-freq", "2"];
const bytes = (...path: string[]) => readFileSync(join(folder, ...path));

test("trains a classifier as the reference does, and goes on where it was stopped", {
  timeout: 180_000,
}, async () => {
  const whole = await run(...linear, ...short, "--output-dir", "whole");
  expect(whole.code).toBe(0);
  const found = JSON.parse(whole.stdout);
  expect(found).toMatchObject({
    top1: expect.any(Number),
    bestTop1: expect.any(Number),
    epochs: 4,
    learningRate: (3 * 8) / 256,
    output: "whole",
    features: { blocks: 2, averagePool: false, dim: 48 },
    classes: [
      { name: "blue", count: 5 },
      { name: "red", count: 5 },
    ],
  });
  expect(found.top5).toBeUndefined(); // there are two classes
  expect(found.top1).toBeGreaterThan(80);
  expect(readdirSync(join(folder, "whole")).sort()).toEqual(
    ["checkpoint.safetensors", "classifier.pth", "classifier.safetensors", "log.txt"], //
  );
  const log = bytes("whole", "log.txt").toString().trim().split("\n");
  expect(log.map((line) => Object.keys(JSON.parse(line)))).toEqual([
    ["train_loss", "train_lr", "epoch"],
    ["train_loss", "train_lr", "epoch", "test_loss", "test_acc1"],
    ["train_loss", "train_lr", "epoch"],
    ["train_loss", "train_lr", "epoch", "test_loss", "test_acc1"],
  ]);

  const stopped = await dino([...linear, ...short, "--output-dir", "stopped"], {
    cwd: folder,
    when: ["epoch 2:", (child) => child.kill("SIGINT")],
  });
  expect(stopped.code).toBe(130);
  expect(stopped.stdout).toBe("");
  expect(stopped.stderr).toContain("stopped: what is done is kept in stopped");
  const resumed = await run(...linear, ...short, "--output-dir", "stopped");
  expect(resumed.stderr).toMatch(/going on from step \d+ of 16/);
  expect({ ...JSON.parse(resumed.stdout), output: "whole" }).toEqual(found);
  for (const file of ["classifier.safetensors", "classifier.pth", "log.txt"]) {
    expect(bytes("stopped", file).equals(bytes("whole", file))).toBe(true);
  }

  const again = await run(...linear, ...short, "--output-dir", "whole");
  expect(again.stderr).toContain("this probe was trained to its end before");
  expect(again.stdout).toBe(whole.stdout);
  const other = await run(...linear, ...short, "--seed", "1", "--output-dir", "whole");
  expect(other.code).toBe(1);
  expect(other.stderr).toMatch(
    /^dino: whole\/checkpoint\.safetensors: expected a probe of these settings, got one of others \(seed 0, not 1\): choose another --output-dir/m,
  );
});

test("finds the learning rate by a sweep, and judges classifiers of either format", {
  timeout: 180_000,
}, async () => {
  const sweep = ["--sweep", "--epochs", "5", "--batch-size-per-gpu", "8", "--output-dir", "swept"];
  const lr = ["--lr", "0.001,3,0.1", "--held-out", "0.3"];
  const swept = await run(...linear, ...sweep, ...lr, "--confusion", "confusion.png");
  expect(swept.code).toBe(0);
  const found = JSON.parse(swept.stdout);
  expect(
    found.sweep.rates.map(({ learningRate }: { learningRate: number }) => learningRate),
  ).toEqual([0.001, 3, 0.1].map((rate) => (rate * 8) / 256));
  expect(found.learningRate).toBe(found.sweep.best);
  expect(found.sweep.best).toBeGreaterThan(0.001);
  expect(found.top1).toBeGreaterThan(80);
  expect(bytes("confusion.png").subarray(1, 4).toString()).toBe("PNG");
  const again = await run(...linear, ...sweep, ...lr);
  expect(again.stderr).toContain("swept/sweep.json: the learning rates were compared before");
  expect(again.stderr).toContain("photos/train: all 26 features were there");
  expect(again.stdout).toBe(swept.stdout);

  const judge = [...linear, "--evaluate"];
  const { top1, loss, classes } = found;
  for (const words of [
    ["--output-dir", "swept"],
    ["--linear-weights", "swept/classifier.pth"],
    ["--linear_weights", "swept/classifier.safetensors", "--n_last_blocks", "2"],
  ]) {
    const judged = await run(...judge, ...words);
    expect(judged.code).toBe(0);
    expect(JSON.parse(judged.stdout)).toMatchObject({ top1, classes });
    expect(JSON.parse(judged.stdout).loss).toBeCloseTo(loss, 5);
  }
  const file = await openCheckpoint(join(folder, "swept", "classifier.pth"));
  expect([...file.tensors.keys()]).toEqual([
    "state_dict.module.linear.weight",
    "state_dict.module.linear.bias",
  ]);
  expect(file.data).toMatchObject({ epoch: 5, best_acc: found.bestTop1 });

  const narrow = await run(...judge, "--output-dir", "swept", "--n-last-blocks", "1");
  expect(narrow.code).toBe(2);
  expect(narrow.stderr).toMatch(
    /^dino: swept\/classifier\.safetensors: expected a classifier of 24 values \(--n-last-blocks 1, --avgpool-patchtokens false\), got one of 48/m,
  );
  const strange = await run(...judge, "--linear-weights", "run/exported/backbone.safetensors");
  expect(strange.code).toBe(1);
  expect(strange.stderr).toContain(
    "expected a linear classifier (linear.weight, linear.bias), got",
  );
});

test("goes on with a sweep that was stopped", { timeout: 180_000 }, async () => {
  const words = ["--sweep", "--epochs", "3", "--batch-size-per-gpu", "8", "--lr", "0.1,1"];
  const whole = await run(...linear, ...words, "--output-dir", "sweep-a");
  const sweepState = join(folder, "sweep-a", "sweep.safetensors");
  cpSync(join(folder, "sweep-a"), join(folder, "sweep-b"), { recursive: true });
  for (const file of ["sweep.json", "checkpoint.safetensors", "classifier.pth", "log.txt"]) {
    unlinkSync(join(folder, "sweep-b", file));
  }
  expect(readFileSync(sweepState).length).toBeGreaterThan(0);
  const resumed = await run(...linear, ...words, "--output-dir", "sweep-b");
  expect(resumed.stderr).toContain("sweep-b/sweep.safetensors: going on from step 9");
  expect({ ...JSON.parse(resumed.stdout), output: "sweep-a" }).toEqual(JSON.parse(whole.stdout));
});

test("takes the mean of patches when asked to", { timeout: 120_000 }, async () => {
  const words = ["--sweep", "--epochs", "2", "--lr", "0.1", "--output-dir", "pooled"];
  const pooled = await run(...linear, ...words, "--avgpool_patchtokens", "true");
  expect(pooled.code).toBe(0);
  expect(JSON.parse(pooled.stdout).features).toEqual({ blocks: 1, averagePool: true, dim: 48 });
  const both = await run(
    ...linear,
    ...words,
    "--avgpool_patchtokens",
    "true",
    "--n-last-blocks",
    "2",
  );
  expect(both.code).toBe(2);
  expect(both.stderr).toContain("dino: --n-last-blocks: expected 1 with --avgpool-patchtokens");
});

test.each<[string, string[], string]>([
  ["several rates", ["--lr", "1,2"], "--lr: expected one number without --sweep, got 1,2"],
  [
    "a rate of none",
    ["--lr", "0"],
    '--lr: expected a number above 0, or several with commas, got "0"',
  ],
  ["a part of no sweep", ["--held-out", "0.1"], "--held-out: expected --sweep beside it"],
  [
    "weights of nothing",
    ["--linear-weights", "x"],
    "--linear-weights: expected --evaluate beside it",
  ],
  ["both", ["--sweep", "--evaluate"], "--sweep: expected none with --evaluate"],
  [
    "too few labels",
    ["--num-labels", "1"],
    "--num-labels: expected at least 2, the classes of photos/train, got 1",
  ],
  [
    "too many blocks",
    ["--n-last-blocks", "3"],
    "--n-last-blocks: expected at most 2, all blocks, got 3",
  ],
])("says what is wrong with %s", { timeout: 60_000 }, async (_, words, sentence) => {
  const { code, stderr, stdout } = await run(...linear, ...words);
  expect(stderr).toContain(`dino: ${sentence}`);
  expect([code, stdout]).toEqual([2, ""]);
});
