import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dino, tiny } from "./dino.ts";
import { writePictures } from "./pictures.ts";
import { sharedDino } from "./shared-dino.ts";

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dino-cli-train-"));
  await writePictures(join(folder, "photos"), { count: 13 });
  await writePictures(join(folder, "test"), { count: 3 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const shared = sharedDino();
const run = (words: readonly string[]) => shared(words, { cwd: folder });
/** Runs it in a process of its own, which gets a signal as soon as it says something. */
const runUntil = (words: readonly string[], text: string, signal: NodeJS.Signals) =>
  dino(words, { cwd: folder, when: [text, (child) => child.kill(signal)] });
const training = (name: string, ...words: string[]) => [
  "train",
  "photos",
  ...tiny,
  ...["--warmup-epochs", "2steps", "--output-dir", name],
  ...words,
];
const lastState = (name: string) =>
  readFileSync(join(folder, name, "checkpoints", "last.safetensors"));
/** The one document on standard output. */
const document = (stdout: string) => {
  expect(stdout.split("\n")).toHaveLength(2);
  return JSON.parse(stdout);
};

test("trains six steps, with k-NN before and after, and everything works on the run", {
  timeout: 120_000,
}, async () => {
  const knn = ["--knn-train", "photos", "--knn-test", "test", "--knn-every", "100%"];
  const words = training("six", "--epochs", "6steps", "--json", ...knn);
  const trained = await dino(words, { cwd: folder });
  expect(trained.code).toBe(0);
  expect(document(trained.stdout)).toEqual({
    run: "six",
    steps: 6,
    stepsRun: 6,
    resumedFrom: null,
    backend: "wasm",
    precision: "fp32",
    imagesPerSecond: expect.any(Number),
    loss: expect.any(Number),
    knn: {
      before: { 10: expect.any(Number), 20: expect.any(Number) },
      after: { 10: expect.any(Number), 20: expect.any(Number) },
    },
  });
  const path = join(folder, "six");
  expect(readdirSync(path).map((name) => name.replace(/tfevents.*/, "tfevents"))).toEqual([
    "checkpoints",
    "config.yaml",
    "curves.png",
    "environment.json",
    "events.out.tfevents",
    "exported",
    "log.txt",
    "metrics.jsonl",
    "train.log",
  ]);
  expect(readdirSync(join(path, "checkpoints"))).toContain("last.safetensors");
  const environment = JSON.parse(readFileSync(join(path, "environment.json"), "utf8"));
  expect(environment).toMatchObject({ backend: "wasm", precision: "fp32" });

  const evaluated = await run([
    "eval",
    "knn",
    "--weights",
    "six",
    "--train",
    "photos",
    "--test",
    "test",
    "--k",
    "10,20",
    "--json",
  ]);
  const { top1, top5 } = document(evaluated.stdout);
  expect(top1).toEqual(document(trained.stdout).knn.after);
  expect(Object.keys(top5)).toEqual(["10", "20"]);

  const seen = await run([
    "attention",
    "test/red/0.png",
    "--weights",
    "six",
    "--out",
    "seen",
    "--image-size",
    "40",
    "--json",
  ]);
  const { pictures } = document(seen.stdout);
  expect(pictures).toHaveLength(10);
  for (const picture of pictures) expect(statSync(join(folder, picture)).size).toBeGreaterThan(60);

  const featured = await run([
    "features",
    "test",
    "--weights",
    "six/exported/backbone.safetensors",
    "--out",
    "features",
    "--json",
  ]);
  expect(document(featured.stdout)).toMatchObject({ count: 6, dim: 24 });
  expect(readFileSync(join(folder, "features", "pictures.csv"), "utf8")).toMatch(
    /^row,file,class\n0,blue\/0.png,blue\n/,
  );

  const inspected = document((await run(["inspect", "six", "--json"])).stdout);
  expect(inspected.format).toBe("safetensors");
  expect(inspected.metadata.format).toBe("dino");
  expect(inspected.tensors).toContainEqual({
    name: "teacher.backbone.cls_token",
    dtype: "F32",
    shape: [1, 1, 24],
  });

  const begun = await run(
    training("begun", "--epochs", "1", "--warmup-epochs", "0", "--init-weights", "six"),
  );
  expect(begun.code).toBe(0);
});

test("ends with the same bytes after a kill and a resume", { timeout: 120_000 }, async () => {
  const words = (name: string) => training(name, "--epochs", "5", "--save-every-steps", "5");
  const whole = await run(words("whole"));
  expect(whole.code).toBe(0);

  const killed = await runUntil(words("killed"), "epoch 2:", "SIGKILL");
  expect(killed.code).toBeNull();
  const resumed = await run(["train", "photos", "--resume", "killed", "--epochs", "5", "--json"]);
  expect(resumed.code).toBe(0);
  const { steps, stepsRun, resumedFrom } = document(resumed.stdout);
  expect(steps).toBe(30);
  expect(resumedFrom).toBeGreaterThan(0);
  expect(stepsRun + resumedFrom).toBe(30);
  expect(lastState("killed").equals(lastState("whole"))).toBe(true);

  const log = (name: string) => readFileSync(join(folder, name, "log.txt"), "utf8");
  expect(log("killed")).toBe(log("whole"));
  const again = await run(["train", "--resume", "killed", "--json"]);
  expect(again.code).toBe(0);
  expect(again.stderr).toContain("this run is finished: 30 steps");
  expect(document(again.stdout)).toMatchObject({ steps: 30, stepsRun: 0, resumedFrom: 30 });

  const changed = await run(["train", "--resume", "killed", "--lr", "0.1"]);
  expect(changed.code).toBe(2);
  expect(changed.stderr).toContain(
    "dino: --lr: expected 0.0005 as in the run that goes on, got 0.1",
  );
  const refused = await run(words("whole"));
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("go on with it by --resume whole");
});

test.each<[NodeJS.Signals, number]>([
  ["SIGINT", 130],
  ["SIGTERM", 143],
])("finishes the step and saves at the first %s", { timeout: 60_000 }, async (signal, code) => {
  const name = `stopped-${signal}`;
  const stopped = await runUntil(training(name, "--epochs", "1000", "--json"), "epoch 1:", signal);
  expect(stopped.code).toBe(code);
  expect(stopped.stderr).toContain(`go on with: dino train --resume ${name}`);
  const { steps } = document(stopped.stdout);
  const inspected = document((await run(["inspect", name, "--json"])).stdout);
  expect(JSON.parse(inspected.metadata.numbers).step).toBe(steps);
});

test("times a step, with the same losses on every engine", { timeout: 60_000 }, async () => {
  const words = [
    "bench",
    ...tiny,
    "--batch-size-per-gpu",
    "2",
    "--steps",
    "2",
    "--json",
    "--backend",
  ];
  const [wasm, cpu] = await Promise.all(
    ["wasm", "cpu"].map(async (name) => document((await run([...words, name])).stdout)),
  );
  expect(wasm).toMatchObject({
    backend: "wasm",
    precision: "fp32",
    peakBytes: expect.any(Number),
    peakRssBytes: expect.any(Number),
  });
  expect(wasm.losses).toHaveLength(2);
  const apart = wasm.losses.map((loss: number, i: number) => Math.abs(loss - cpu.losses[i]));
  expect(Math.max(...apart)).toBeLessThan(1e-4);
});

const micro = ["bench", ...tiny, "--batch-size-per-gpu", "2", "--steps", "1"];
type Row = { readonly backend: string; readonly measured: boolean };

test("compares every engine of the machine in one document", { timeout: 120_000 }, async () => {
  const compared = await run([...micro, "--compare", "--json"]);
  expect(compared.code).toBe(0);
  const { settings, steps, engines } = document(compared.stdout);
  expect(settings).toMatchObject({ "embed-dim": 24, "batch-size-per-gpu": 2 });
  expect(steps).toBe(1);
  const rows = new Map(engines.map((row: Row) => [row.backend, row]));
  expect([...rows.keys()]).toEqual(
    expect.arrayContaining(["native", "tensorflow", "webgpu", "wasm", "cpu"]),
  );
  expect(rows.get("wasm")).toMatchObject({
    measured: true,
    precision: "fp32",
    imagesPerSecond: expect.any(Number),
    gflops: expect.any(Number),
    shareOfMatmul: expect.any(Number),
    peakBytes: expect.any(Number),
    losses: [expect.any(Number)],
  });
  expect(rows.get("cpu")).toEqual({
    backend: "cpu",
    measured: false,
    reason: "for tests only, so left out: ask for it by --compare cpu",
  });
  for (const row of engines.filter(({ measured }: Row) => !measured)) {
    expect(row.reason).toMatch(/\w/);
  }
});

test("compares the engines that are named, with the same loss", { timeout: 60_000 }, async () => {
  const { stdout } = await run([...micro, "--compare", "wasm,cpu", "--json"]);
  const { engines } = document(stdout);
  expect(engines.map(({ backend, measured }: Row) => [backend, measured])).toEqual([
    ["wasm", true],
    ["cpu", true],
  ]);
  expect(engines[0].losses[0]).toBeCloseTo(engines[1].losses[0], 3);
});

test("says why an engine is not compared, and ends with 1 where none is", async () => {
  const words = [...micro, "--compare", "wasm", "--precision", "bf16"];
  const { code, stdout } = await run([...words, "--json"]);
  expect(code).toBe(1);
  expect(document(stdout).engines).toEqual([
    { backend: "wasm", measured: false, reason: "no bf16" },
  ]);
  expect((await run(words)).stdout).toBe("wasm: no bf16\n");
});

test("tells of the machine", async () => {
  const { stdout } = await run(["doctor", "--json"]);
  const { engines, line } = document(stdout);
  expect(line).toMatch(/^backend: wasm/);
  expect(engines.map(({ name }: { name: string }) => name)).toContain("cpu");
});

test("leaves no run behind that has done no step", async () => {
  const stopped = await runUntil(
    training("none", "--epochs", "5"),
    "photos: 26 pictures",
    "SIGINT",
  );
  expect([0, 130]).toContain(stopped.code);
  if (stopped.stderr.includes("stopped before the first step")) {
    expect(existsSync(join(folder, "none"))).toBe(false);
  }
});
