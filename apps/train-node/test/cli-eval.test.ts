import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { dino, tiny } from "./dino.ts";
import { writePictures } from "./pictures.ts";
import { sharedDino } from "./shared-dino.ts";
import { workFolder } from "./work-folder.ts";

const folder = workFolder("cli-eval");
beforeAll(async () => {
  await writePictures(join(folder, "train"), { count: 13 });
  await writePictures(join(folder, "test"), { count: 3 });
  const schedule = ["--epochs", "1step", "--warmup-epochs", "0", "--output-dir", "run"];
  const trained = await run("train", "train", ...tiny, ...schedule);
  expect(trained.stderr).toContain("1 steps done");
});

const shared = sharedDino();
const run = (...words: string[]) => shared(words, { cwd: folder });
const knn = ["eval", "knn", "--weights", "run", "--train", "train", "--test", "test", "--json"];

test("keeps features, and takes them again", { timeout: 120_000 }, async () => {
  const cache = ["--features-cache", "kept"];
  const first = await run(...knn, ...cache);
  expect(first.code).toBe(0);
  expect(first.stderr).not.toContain("were there");
  const [one = "", two = "", ...rest] = readdirSync(join(folder, "kept"));
  expect(rest).toEqual([]);
  const second = await run(...knn, ...cache);
  expect(second.stdout).toBe(first.stdout);
  expect(second.stderr).toMatch(/^train: all 26 features were there, in kept\/[0-9a-f]{24}$/m);
  expect(second.stderr).toMatch(/^test: all 6 features were there, in kept\/[0-9a-f]{24}$/m);
  expect(readdirSync(join(folder, "kept"))).toEqual([one, two]);

  const without = await run(...knn, "--no-features-cache");
  expect(without.stdout).toBe(first.stdout);
  expect(without.stderr).not.toContain("were there");
});

test("tells of each class, and draws what is taken for what", { timeout: 120_000 }, async () => {
  const found = await run(...knn, "--confusion", "pictures/confusion.png", "--k", "3,20");
  expect(found.code).toBe(0);
  const { top1, classes } = JSON.parse(found.stdout);
  expect(classes).toMatchObject([
    { name: "blue", count: 3, recall: { 3: expect.any(Number), 20: expect.any(Number) } },
    { name: "red", count: 3 },
  ]);
  const [blue, red] = classes;
  expect((blue.recall[3] + red.recall[3]) / 2).toBeCloseTo(top1[3], 9);
  const picture = readFileSync(join(folder, "pictures", "confusion.png"));
  expect(picture.subarray(1, 4).toString()).toBe("PNG");
  expect(readdirSync(join(folder, "pictures"))).toEqual(["confusion.png"]);

  const words = knn.filter((word) => word !== "--json");
  const shown = await run(...words, "--classes", "--k", "3");
  expect(shown.stdout).toMatch(
    /^3-NN: top-1 [\d.]+ %, top-5 100.00 %\nblue {2}3 pictures, right 3: /,
  );
});

test("writes the reference's feature files, and judges them without a model", {
  timeout: 120_000,
}, async () => {
  const found = await run(...knn, "--k", "3", "--dump-features", "dumps");
  expect(found.code).toBe(0);
  expect(readdirSync(join(folder, "dumps")).sort()).toEqual(
    ["testfeat.pth", "testlabels.pth", "trainfeat.pth", "trainlabels.pth"], //
  );
  const load = ["eval", "knn", "--load-features", "dumps", "--k", "3", "--json"];
  const again = await run(...load);
  const { top1, top5 } = JSON.parse(again.stdout);
  expect({ top1, top5 }).toMatchObject({
    top1: JSON.parse(found.stdout).top1,
    top5: JSON.parse(found.stdout).top5,
  });

  const one = ["eval", "knn", "--weights", "run", "--train", "train", "--k", "3", "--json"];
  const alone = await run(...one, "--dump_features", "dumps");
  expect(readdirSync(join(folder, "dumps")).sort()).toEqual(["trainfeat.pth", "trainlabels.pth"]);
  const aloneAgain = await run(...load);
  expect(aloneAgain.stderr).toContain("every row is classified by all the others");
  expect(JSON.parse(aloneAgain.stdout).top1).toEqual(JSON.parse(alone.stdout).top1);

  const missing = await run("eval", "knn", "--load-features", "train");
  expect(missing.code).toBe(1);
  expect(missing.stderr).toMatch(/^dino: train\/trainfeat\.pth: expected a file/m);
});

test("takes the reference's layout of folders", { timeout: 120_000 }, async () => {
  const words = ["eval", "knn", "--weights", "run", "--data-path", ".", "--json"];
  const whole = await run(...words);
  expect(whole.stdout).toBe((await run(...knn)).stdout);
  const wrong = await run(...words, "--train", "train");
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("dino: --train: expected none beside --data-path");
  const nothing = await run("eval", "knn", "--weights", "run", "--data-path", "train");
  expect(nothing.code).toBe(1);
  expect(nothing.stderr).toContain(
    "dino: train: expected class folders in train/train, got nothing there",
  );
});

test("a signal ends an evaluation, with the exit code that shells expect", {
  timeout: 120_000,
}, async () => {
  const stopped = await dino(knn, {
    cwd: folder,
    when: ["backend:", (child) => child.kill("SIGINT")],
  });
  expect(stopped.code).toBe(130);
  expect(stopped.stdout).toBe("");
  expect(stopped.stderr).toContain("stopped: the features that were made are kept");
});
