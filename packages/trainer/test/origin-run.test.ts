import type { SavedRun, TrainEvent } from "@dino/trainer";
import { type CheckpointBytes, originRun } from "@dino/trainer/browser";
import "@dino/testing"; // the cpu backend
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { memoryFolder } from "./memory-folder.ts";

/** Tensors as JSON: enough to tell what is written and read. */
const bytes: CheckpointBytes = {
  open: async (file) => {
    const { entries, metadata } = JSON.parse(await file.text());
    return {
      metadata,
      tensors: new Map(Object.entries(entries)),
      read: async (name) => ({
        shape: entries[name].shape,
        data: Float32Array.from(entries[name].data),
      }),
    };
  },
  encode: (params, metadata) => {
    const entries = Object.fromEntries(
      Object.entries(params).map(([name, x]) => [
        name,
        { shape: x.shape, data: Array.from(x.dataSync()) },
      ]),
    );
    return [new TextEncoder().encode(JSON.stringify({ entries, metadata }))];
  },
};

const settings = { lr: 0.1 };
const advice = (step: number): TrainEvent => ({ type: "advice", step, message: `at ${step}` });
const savedAt = (step: number): SavedRun => ({
  state: {
    step,
    student: { "backbone.w": tf.tensor1d([1, 2]) },
    teacher: { "backbone.w": tf.tensor1d([3, 4]) },
    optimizer: { steps: { "backbone.w": step } },
    loss: { center: tf.tensor1d([5]) },
  },
  progress: {
    epochLoss: 1.5,
    epochLearningRate: 0.5,
    epochWeightDecay: 0.04,
    epochSteps: 1,
    lastEpochLoss: null,
    best: 40,
    evaluations: [],
  },
});

test("goes on with what was saved, and with what had been told by then", async () => {
  const { directory, files } = memoryFolder();
  const run = originRun(directory, bytes, { settings });
  expect(await run.load()).toBeUndefined();
  for (const step of [1, 2]) await run.record(advice(step));
  const saved = savedAt(2);
  await run.save(saved, "last");
  await run.save(saved, "best");
  expect([...files.keys()].sort()).toEqual([
    "best.safetensors",
    "events.jsonl",
    "last.safetensors",
  ]);

  const later = originRun(directory, bytes, { settings });
  const found = await later.load();
  expect(found?.progress).toEqual(saved.progress);
  expect(found?.state.step).toBe(2);
  expect(found?.state.optimizer).toEqual({ steps: { "backbone.w": 2 } });
  expect(Array.from(found?.state.teacher["backbone.w"]?.dataSync() ?? [])).toEqual([3, 4]);
  expect(later.events).toEqual([advice(1), advice(2)]);
  tf.dispose([saved.state, found?.state ?? []]);
});

test("forgets what was told beyond the state", async () => {
  const { directory, files } = memoryFolder();
  const run = originRun(directory, bytes, { settings });
  await run.load();
  await run.record(advice(1));
  const saved = savedAt(1);
  await run.save(saved, "last");
  const before = files.get("last.safetensors");
  for (const step of [2, 3]) await run.record(advice(step));
  await run.save(saved, "step3"); // the events are written, the last state is the old one
  expect(files.get("last.safetensors")).toBe(before);
  const later = originRun(directory, bytes, { settings });
  tf.dispose([saved.state, (await later.load())?.state ?? []]);
  expect(later.events).toEqual([advice(1)]);
});

test("leaves the state as it was where writing fails", async () => {
  const { directory, files } = memoryFolder();
  const run = originRun(directory, bytes, { settings });
  await run.load();
  const saved = savedAt(1);
  await run.save(saved, "last");
  const before = files.get("last.safetensors");
  const full: CheckpointBytes = {
    ...bytes,
    encode: () => {
      throw new Error("no room");
    },
  };
  const failing = originRun(directory, full, { settings });
  await expect(failing.save(saved, "last")).rejects.toThrow("no room");
  expect(files.get("last.safetensors")).toBe(before);
  tf.dispose(saved.state);
});

test("refuses to go on with other settings", async () => {
  const { directory } = memoryFolder();
  const run = originRun(directory, bytes, { settings });
  await run.load();
  const saved = savedAt(1);
  await run.save(saved, "last");
  tf.dispose(saved.state);
  await expect(originRun(directory, bytes, { settings: { lr: 0.2 } }).load()).rejects.toThrow(
    "last.safetensors: expected the settings of this run, got lr 0.1 in the file and 0.2 now",
  );
});
