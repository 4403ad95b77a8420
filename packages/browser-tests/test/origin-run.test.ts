import { openCheckpoint, streamSafetensors } from "@dino/checkpoint";
import type { SavedRun, TrainEvent } from "@dino/trainer";
import { type CheckpointBytes, type OriginRun, originRun } from "@dino/trainer/browser";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { startWorker } from "./ask-worker.ts";

const bytes: CheckpointBytes = { open: openCheckpoint, encode: streamSafetensors };
const settings = { lr: 0.1 };

/** A folder of the origin-private file system, gone when the test is over. */
async function folder(name: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  onTestFinished(() => root.removeEntry(name, { recursive: true }).catch(() => {}));
  return root.getDirectoryHandle(name, { create: true });
}

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names.sort();
}

const advice = (step: number): TrainEvent => ({ type: "advice", step, message: `at ${step}` });

/** A run of so many steps, whose tensors are gone when the test is over. */
function savedAt(step: number): SavedRun {
  const state = {
    step,
    student: { "backbone.w": tf.tensor2d([1, 2, 3, step], [2, 2]) },
    teacher: { "backbone.w": tf.tensor2d([4, 5, 6, step], [2, 2]) },
    optimizer: { steps: { "backbone.w": step } },
    loss: { center: tf.tensor1d([0.5]) },
  };
  onTestFinished(() => tf.dispose(state));
  return {
    state,
    progress: {
      epochLoss: 1.5,
      epochLearningRate: 0.5,
      epochWeightDecay: 0.04,
      epochSteps: 1,
      lastEpochLoss: null,
      best: 40,
      evaluations: [],
    },
  };
}

/** The step of what is kept, or nothing. */
async function stepIn(run: OriginRun): Promise<number | undefined> {
  const saved = await run.load();
  tf.dispose(saved?.state ?? []);
  return saved?.state.step;
}

beforeEach(() => void tf.setBackend("cpu"));

test("keeps a run in the origin-private file system, and goes on with it", async () => {
  const place = await folder("kept");
  const run = originRun(place, bytes, { settings });
  expect(await run.load()).toBeUndefined();
  for (const step of [1, 2]) await run.record(advice(step));
  const saved = savedAt(2);
  await run.save(saved, "last");
  await run.save(saved, "best");
  expect(await namesIn(place)).toEqual(["best.safetensors", "events.jsonl", "last.safetensors"]);
  await run.record(advice(3)); // told, but not saved

  const later = originRun(place, bytes, { settings });
  const found = await later.load();
  onTestFinished(() => tf.dispose(found?.state ?? []));
  expect(found?.progress).toEqual(saved.progress);
  expect(found?.state.optimizer).toEqual(saved.state.optimizer);
  for (const part of ["student", "teacher"] as const) {
    const [was, is] = [saved, found].map((each) => each?.state[part]["backbone.w"] as tf.Tensor);
    expect(is?.shape).toEqual([2, 2]);
    expect([...(await (is as tf.Tensor).data())]).toEqual([...(await (was as tf.Tensor).data())]);
  }
  expect(later.events).toEqual([advice(1), advice(2)]);
});

test("a file that is being written is not seen before it is whole", async () => {
  const place = await folder("half");
  await originRun(place, bytes, { settings }).save(savedAt(1), "last");
  let reached = () => {};
  const halfWritten = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let goOn = () => {};
  const told = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const slow: CheckpointBytes = {
    ...bytes,
    async *encode(entries, metadata) {
      for await (const part of streamSafetensors(entries, metadata)) {
        yield part;
        reached();
        await told;
      }
    },
  };
  const saving = originRun(place, slow, { settings }).save(savedAt(2), "last");
  await halfWritten;
  expect(await stepIn(originRun(place, bytes, { settings }))).toBe(1);
  goOn();
  await saving;
  expect(await stepIn(originRun(place, bytes, { settings }))).toBe(2);
});

test("a writer that fails, or ends in the middle, leaves the last whole state", async () => {
  const place = await folder("ended");
  await originRun(place, bytes, { settings }).save(savedAt(1), "last");
  const failing: CheckpointBytes = {
    ...bytes,
    async *encode() {
      yield new Uint8Array(8);
      throw new Error("no room");
    },
  };
  const save = originRun(place, failing, { settings }).save(savedAt(2), "last");
  await expect(save).rejects.toThrow("no room");
  expect(await stepIn(originRun(place, bytes, { settings }))).toBe(1);

  const worker = startWorker();
  await worker.ask({ writeForever: ["ended", "last.safetensors"] });
  worker.terminate(); // as when a tab is closed
  expect(await stepIn(originRun(place, bytes, { settings }))).toBe(1);
  await originRun(place, bytes, { settings }).save(savedAt(3), "last");
  expect(await stepIn(originRun(place, bytes, { settings }))).toBe(3);
});

test("begins anew where the folder was cleared", async () => {
  const root = await navigator.storage.getDirectory();
  const place = await folder("cleared");
  await originRun(place, bytes, { settings }).save(savedAt(1), "last");
  await root.removeEntry("cleared", { recursive: true });
  const anew = originRun(await folder("cleared"), bytes, { settings });
  expect(await anew.load()).toBeUndefined();
  expect(anew.events).toEqual([]);
});

test("says what is wrong with what was kept", async () => {
  const place = await folder("wrong");
  await originRun(place, bytes, { settings }).save(savedAt(1), "last");
  await expect(originRun(place, bytes, { settings: { lr: 0.2 } }).load()).rejects.toThrow(
    "last.safetensors: expected the settings of this run, got lr 0.1 in the file and 0.2 now",
  );
  const file = await place.getFileHandle("last.safetensors");
  const stream = await file.createWritable({ keepExistingData: true });
  await stream.truncate(100);
  await stream.close();
  await expect(originRun(place, bytes, { settings }).load()).rejects.toThrow(
    /^last\.safetensors: expected .*, got /,
  );
});
