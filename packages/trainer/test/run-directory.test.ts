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
import { join } from "node:path";
import type { Metrics, SavedRun, TrainEvent } from "@dino/trainer";
import * as trainerNode from "@dino/trainer/node";
import { type CheckpointFiles, canonicalJson, runDirectory } from "@dino/trainer/node";
import "@dino/testing"; // the cpu backend
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dino-run-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Tensors as JSON: enough to tell what is written and read. */
const files: CheckpointFiles = {
  open: async (path) => {
    const { entries, metadata } = JSON.parse(readFileSync(path, "utf8"));
    return {
      metadata,
      tensors: new Map(Object.entries(entries)),
      read: async (name) => ({
        shape: entries[name].shape,
        data: Float32Array.from(entries[name].data),
      }),
    };
  },
  write: async (path, params, metadata) => {
    const entries = Object.fromEntries(
      Object.entries(params).map(([name, x]) => [
        name,
        { shape: x.shape, data: Array.from(x.dataSync()) },
      ]),
    );
    writeFileSync(path, JSON.stringify({ entries, metadata }));
  },
};

const options = {
  settings: { lr: 0.1, arch: "vit_tiny" },
  stepsPerEpoch: 2,
  prototypes: 8,
  texts: { "config.yaml": "# A run.\nlr: 0.1\n" },
};
const open = (path = join(folder, "run"), changed: object = {}) =>
  runDirectory(path, files, { ...options, ...changed });

const savedAt = (step: number): SavedRun => ({
  state: {
    step,
    student: { "backbone.w": tf.tensor2d([[1, 2]]) },
    teacher: { "backbone.w": tf.tensor2d([[3, 4]]) },
    optimizer: { moment1: { "backbone.w": tf.tensor2d([[5, 6]]) }, steps: { "backbone.w": step } },
    loss: { center: tf.tensor1d([7, 8]) },
  },
  progress: {
    epochLoss: 1.25,
    epochLearningRate: 0.5,
    epochWeightDecay: 0.04,
    epochSteps: 1,
    lastEpochLoss: null,
    best: 50,
    evaluations: [{ step: 0, result: { knn: { 10: 50 } } }],
  },
});

const metrics = (step: number): Metrics => ({
  step,
  loss: Math.log(8),
  targetEntropy: 1,
  divergence: 2,
  gradientNorm: 3,
  learningRate: 4,
  weightDecay: 5,
  teacherMomentum: 6,
  teacherTemperature: 7,
});
const stepEvent = (step: number): TrainEvent => ({
  type: "step",
  step,
  epoch: Math.floor((step - 1) / 2),
  metrics: metrics(step),
  imagesPerSecond: 10,
  dataWait: 0,
  eta: 1,
});
const epochEvent = (epoch: number): TrainEvent => ({
  type: "epoch",
  epoch,
  loss: 2,
  learningRate: 0.1,
  weightDecay: 0.04,
});
const lines = (name: string) =>
  readFileSync(join(folder, "run", name), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

test("offers these names and no others", () => {
  expect(Object.keys(trainerNode).sort()).toEqual([
    "UnwritableError",
    "canonicalJson",
    "makeFolder",
    "runDirectory",
  ]);
});

test("touches nothing before it is loaded", () => {
  open();
  expect(readdirSync(folder)).toEqual([]);
});

test("begins a run with its texts and no state", async () => {
  const store = open();
  expect(await store.load()).toBeUndefined();
  expect(readFileSync(join(folder, "run", "config.yaml"), "utf8")).toBe(
    options.texts["config.yaml"],
  );
  expect(existsSync(join(folder, "run", "checkpoints"))).toBe(true);
  store.close();
});

test("gives back what was saved, as tensors of the caller's own", async () => {
  const saved = savedAt(3);
  const store = open();
  await store.load();
  await store.save(saved, "last");
  store.close();
  const before = tf.memory().numTensors;
  const again = open();
  const loaded = (await again.load()) as SavedRun;
  again.close();
  expect(loaded.progress).toEqual(saved.progress);
  expect(loaded.state.step).toBe(3);
  expect(loaded.state.optimizer.steps).toEqual({ "backbone.w": 3 });
  expect(Array.from(loaded.state.teacher["backbone.w"]?.dataSync() ?? [])).toEqual([3, 4]);
  expect(tf.memory().numTensors).toBe(before + 4);
  tf.dispose([loaded.state, saved.state]);
});

test("saves the same bytes for the same run, wherever and whenever", async () => {
  const saved = savedAt(3);
  const texts: string[] = [];
  for (const name of ["a", "b"]) {
    const store = open(join(folder, name), {
      settings: name === "a" ? options.settings : { arch: "vit_tiny", lr: 0.1 },
    });
    await store.load();
    await store.save(saved, "last");
    store.close();
    texts.push(readFileSync(join(folder, name, "checkpoints", "last.safetensors"), "utf8"));
  }
  expect(texts[0]).toBe(texts[1]);
  expect(JSON.parse(texts[0] as string).metadata).toMatchObject({
    format: "dino",
    settings: '{"arch":"vit_tiny","lr":0.1}',
  });
  tf.dispose(saved.state);
});

test("refuses a state that was saved with other settings, and names the one", async () => {
  const saved = savedAt(3);
  const store = open();
  await store.load();
  await store.save(saved, "last");
  store.close();
  const path = join(folder, "run", "checkpoints", "last.safetensors");
  await expect(open(undefined, { settings: { lr: 0.2, arch: "vit_tiny" } }).load()).rejects.toThrow(
    `${path}: expected the settings of this run, got lr 0.1 in the file and 0.2 now`,
  );
  tf.dispose(saved.state);
});

test("records steps, evaluations and epochs, and the loss as a share of ln K", async () => {
  const store = open();
  await store.load();
  const evaluation: TrainEvent = { type: "evaluation", step: 0, result: { knn: { 10: 50 } } };
  for (const event of [evaluation, stepEvent(1), stepEvent(2), epochEvent(0)])
    await store.record(event);
  store.note("hello");
  store.close();
  const [first, second] = lines("metrics.jsonl");
  expect(first).toEqual({ step: 0, knn: { 10: 50 } });
  expect(second).toMatchObject({ step: 1, epoch: 0, loss: Math.log(8), relativeLoss: 1 });
  expect(lines("log.txt")).toEqual([{ train_loss: 2, train_lr: 0.1, train_wd: 0.04, epoch: 0 }]);
  expect(readFileSync(join(folder, "run", "train.log"), "utf8")).toMatch(/^\d{4}-.*Z hello\n$/);
});

test("cuts the records back to the state that it goes on from", async () => {
  const saved = savedAt(3);
  const store = open();
  await store.load();
  for (const step of [1, 2, 3, 4]) {
    await store.record(stepEvent(step));
    if (step % 2 === 0) await store.record(epochEvent(step / 2 - 1));
    if (step === 3) await store.save(saved, "last");
  }
  store.close();
  const path = join(folder, "run", "metrics.jsonl");
  writeFileSync(path, `${readFileSync(path, "utf8")}{"step":`); // killed while writing
  writeFileSync(join(folder, "run", "checkpoints", ".last.1.tmp"), "");
  const again = open();
  const loaded = await again.load();
  again.close();
  expect(lines("metrics.jsonl").map(({ step }) => step)).toEqual([1, 2, 3]);
  expect(lines("log.txt").map(({ epoch }) => epoch)).toEqual([0]);
  expect(readdirSync(join(folder, "run", "checkpoints"))).toEqual(["last.safetensors"]);
  tf.dispose([saved.state, loaded?.state ?? {}]);
});

test("begins anew in the folder of a run that has no state", async () => {
  const first = open();
  await first.load();
  await first.record(stepEvent(1));
  first.close();
  const second = open();
  expect(await second.load()).toBeUndefined();
  second.close();
  expect(lines("metrics.jsonl")).toEqual([]);
});

test("discards a new run before its first step, with the folders that it made", async () => {
  const store = open(join(folder, "a", "b"));
  await store.load();
  store.discard();
  expect(readdirSync(folder)).toEqual([]);
});

test("discards no run that has done a step, and no file that was there before", async () => {
  const path = join(folder, "run");
  mkdirSync(path);
  writeFileSync(join(path, "notes.txt"), "mine");
  const first = open();
  await first.load();
  first.discard();
  expect(readdirSync(path)).toEqual(["notes.txt"]);
  const second = open();
  await second.load();
  await second.record(stepEvent(1));
  second.discard();
  expect(lines("metrics.jsonl")).toHaveLength(1);
});

test("never writes over somebody's own file", async () => {
  const path = join(folder, "run");
  mkdirSync(path);
  writeFileSync(join(path, "config.yaml"), "mine: true\n");
  const store = open();
  await expect(store.load()).rejects.toThrow(
    "config.yaml: expected none or one of a run, got another file",
  );
  store.discard();
  expect(readFileSync(join(path, "config.yaml"), "utf8")).toBe("mine: true\n");
});

test("names a folder that cannot be written", async () => {
  writeFileSync(join(folder, "file"), "");
  await expect(open(join(folder, "file", "run")).load()).rejects.toThrow(
    `${join(folder, "file", "run")}: expected a folder that can be written, got ENOTDIR`,
  );
});

test("makes folders level by level, and names the topmost that was missing", () => {
  const top = join(folder, "a");
  expect(trainerNode.makeFolder(join(top, "b", "c"))).toBe(top);
  expect(existsSync(join(top, "b", "c"))).toBe(true);
  expect(trainerNode.makeFolder(top)).toBe(undefined);
});

test("refuses a checkpoint that is no run's", async () => {
  const path = join(folder, "run", "checkpoints");
  mkdirSync(path, { recursive: true });
  await files.write(join(path, "last.safetensors"), {}, { format: "pt" });
  await expect(open().load()).rejects.toThrow(
    "expected the state of a run, got a file without one",
  );
});

test("exports the backbone alone", async () => {
  const store = open();
  await store.load();
  const w = tf.tensor1d([1]);
  const path = await store.exportBackbone({ w }, { format: "pt" });
  store.close();
  w.dispose();
  expect(path).toBe(join(folder, "run", "exported", "backbone.safetensors"));
  expect(JSON.parse(readFileSync(path, "utf8")).metadata).toEqual({ format: "pt" });
});

test("writes equal values as equal text", () => {
  expect(canonicalJson({ b: [{ y: 1, x: 2 }], a: null })).toBe('{"a":null,"b":[{"x":2,"y":1}]}');
});
