import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dino, tiny } from "./dino.ts";
import { writePictures } from "./pictures.ts";

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-eval-"));
  await writePictures(join(folder, "train"), { count: 13 });
  await writePictures(join(folder, "test"), { count: 3 });
  const schedule = ["--epochs", "1step", "--warmup-epochs", "0", "--output-dir", "run"];
  const trained = await run("train", "train", ...tiny, ...schedule);
  expect(trained.stderr).toContain("1 steps done");
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...words: string[]) => dino(words, { cwd: folder });
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
