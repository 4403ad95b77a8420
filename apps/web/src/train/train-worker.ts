import type { VisionTransformer } from "@dino/backbones/vit";
import { activeBackend } from "@dino/backend";
import { openCheckpoint, streamSafetensors } from "@dino/checkpoint";
import type { Dataset, Loader } from "@dino/data";
import { heldPictures, imageFiles, loader, type NamedFile } from "@dino/data/browser";
import type { Pixels } from "@dino/ops";
import { within } from "@dino/ops";
import {
  type DeviceLoss,
  type RunStore,
  type TrainEvent,
  type Trainer,
  train,
} from "@dino/trainer";
import { originRun } from "@dino/trainer/browser";
import * as tf from "@tensorflow/tfjs-core";
import { lastingEngine } from "../engine/lasting-engine.ts";
import { architectureKey } from "../model/architecture.ts";
import type { Tell } from "../remote/protocol.ts";
import { serve } from "../remote/serve.ts";
import { emojiSet, type PictureSet } from "../sets/emoji.ts";
import { patternSet } from "../sets/patterns.ts";
import { alone } from "./alone.ts";
import { architectureOf, trainerOf, viewsOf } from "./assemble.ts";
import { createJudge, type Judge, type Judgement } from "./judge.ts";
import { forgetRun, keepRun, keptPictures, keptRun, runFolder } from "./run-folder.ts";
import { models, type TrainSettings } from "./settings.ts";

/** The tensors that there are, and what they take up. */
export interface Tensors {
  readonly count: number;
  readonly bytes: number;
}

/** What the page is told while a run goes on. */
export type RunEvent =
  | { readonly type: "pictures"; readonly done: number; readonly total: number }
  /** The run is about to begin or to go on. */
  | {
      readonly type: "begun";
      readonly settings: TrainSettings;
      readonly pictures: number;
      readonly broken: number;
      readonly shown: readonly Pixels[];
      /** What had been told before, where it goes on. */
      readonly events: readonly TrainEvent[];
    }
  | { readonly type: "told"; readonly event: TrainEvent; readonly memory: Tensors };

export interface RunResult {
  readonly step: number;
  readonly finished: boolean;
}

/** Files larger than what crops need are brought down to this many times the crops' side. */
const roomForCrops = 2;

let trainer: Trainer | undefined;
let settings: TrainSettings | undefined;
let events: readonly TrainEvent[] = [];
let stopping: AbortController | undefined;

/** What was on a lost device is made anew by the run itself, of what was saved. */
const engine = lastingEngine();

const methods = {
  ...engine.methods,

  /** The run that was kept, if there is one. */
  kept: async (): Promise<TrainSettings | undefined> => (await keptRun())?.settings,

  /** Begins a run, in place of the one that was kept. */
  begin: (
    asked: TrainSettings,
    { sheet, files }: { readonly sheet: string; readonly files: readonly NamedFile[] },
    tell: Tell<RunEvent>,
  ): Promise<RunResult> =>
    alone(async () => {
      const own = asked.set === "own" ? await ownPictures(files, asked, tell) : undefined;
      await forgetRun();
      await keepRun(asked, own);
      return run(asked, await setOf(asked, sheet, own), tell);
    }),

  /** Goes on with the run that was kept. */
  goOn: (sheet: string, tell: Tell<RunEvent>): Promise<RunResult> =>
    alone(async () => {
      const kept = await keptRun();
      if (!kept) throw new Error("run: expected one to go on with, got none");
      const own = kept.settings.set === "own" ? await keptPictures() : undefined;
      return run(kept.settings, await setOf(kept.settings, sheet, own), tell);
    }),

  /** Finishes the step under way and saves. */
  pause: (): void => stopping?.abort(),

  /** Forgets what was kept of the run. */
  forget: (): Promise<void> => alone(forgetRun),

  /** The teacher's backbone as a safetensors file that says what it is. */
  exportModel: (): Promise<Blob> =>
    engine.lasting(async (lost) => {
      if (!trainer || !settings) throw new Error("model: expected one to be trained, got none");
      if (lost) trainer = await regained(trainer, settings);
      const metadata = {
        [architectureKey]: JSON.stringify(architectureOf(settings)),
        training: JSON.stringify({ ...settings, step: trainer.step }),
      };
      const parts: BlobPart[] = [];
      for await (const part of streamSafetensors(within(trainer.teacher, "backbone."), metadata)) {
        parts.push(part.slice());
      }
      return new Blob(parts, { type: "application/octet-stream" });
    }),

  /** What was told of the run, one JSON object a line. */
  exportMetrics: (): Blob => {
    const lines = events.map((event) => `${JSON.stringify(event)}\n`);
    return new Blob(lines, { type: "application/jsonl" });
  },
};

export type TrainMethods = typeof methods;

serve(methods);

/** Trains to the last step; where the graphics device is lost, on another from what was saved. */
async function run(
  asked: TrainSettings,
  set: PictureSet,
  tell: Tell<RunEvent>,
): Promise<RunResult> {
  const { global: size, patchSize } = models[asked.model];
  const views = viewsOf(asked);
  settings = asked;
  const controller = new AbortController();
  stopping = controller;
  const judge = await createJudge(set, { views, size, patchSize });
  let batches: Loader | undefined;
  const store = toldStore(await runFolder(), { asked, set, judge, tell });
  const attempt = async (lost?: DeviceLoss) => {
    trainer?.dispose();
    await batches?.close(); // of another engine, perhaps
    batches = batchesOf(asked, set);
    const own = trainerOf(asked, activeBackend().memoryBytes);
    trainer = own;
    return train({
      ...{ trainer: own, batches, store, lost },
      steps: asked.steps,
      signal: controller.signal,
      saveEvery: 25,
      metricsEvery: activeBackend().name === "webgpu" ? 10 : 1,
      evaluate: {
        every: Math.max(1, Math.round(asked.steps / 10)),
        atStart: true,
        run: ({ params }): Promise<Judgement> =>
          judge.judge(own.network.backbone as VisionTransformer, params),
      },
    });
  };
  try {
    const { steps, stopped } = await engine.lasting(attempt);
    return { step: steps, finished: !stopped };
  } finally {
    await batches?.close();
    stopping = undefined;
  }
}

/** Batches of crops: of a graphics card's own making, or of a thread's where that would be slow. */
function batchesOf(asked: TrainSettings, { training }: PictureSet): Loader {
  const { batch: batchSize, seed } = asked;
  const options = { views: viewsOf(asked), batchSize, seed };
  const { name, software } = activeBackend();
  if (name === "webgpu" && !software) return loader(training, { ...options, augment: "device" });
  const worker = new Worker(new URL("./crops-worker.ts", import.meta.url), { type: "module" });
  return loader(training, { ...options, worker });
}

/** The trainer as it was saved, in place of one whose device was lost behind the last step. */
async function regained(lost: Trainer, asked: TrainSettings): Promise<Trainer> {
  const saved = await storeIn(await runFolder(), asked).load();
  if (!saved) throw new Error("model: its graphics device was lost, and nothing was saved of it");
  lost.dispose();
  const own = trainerOf(asked, activeBackend().memoryBytes);
  own.restore(saved.state);
  return own;
}

function storeIn(folder: FileSystemDirectoryHandle, asked: TrainSettings) {
  const bytes = { open: openCheckpoint, encode: streamSafetensors };
  return originRun(folder, bytes, { settings: { ...asked } });
}

interface Telling {
  readonly asked: TrainSettings;
  readonly set: PictureSet;
  readonly judge: Judge;
  readonly tell: Tell<RunEvent>;
}

/** The run's store; what it holds is told to the page as it is loaded, and then all that comes. */
function toldStore(
  folder: FileSystemDirectoryHandle,
  { asked, set, judge, tell }: Telling,
): RunStore {
  const store = storeIn(folder, asked);
  return {
    save: store.save,
    load: async () => {
      const saved = await store.load();
      tell({
        ...{ type: "begun", settings: asked, shown: judge.shown },
        pictures: set.training.length,
        broken: set.training.broken?.length ?? 0,
        events: [...store.events],
      });
      return saved;
    },
    record: async (event) => {
      await store.record(event);
      events = store.events;
      const { numTensors: count, numBytes: bytes } = tf.memory();
      tell({ type: "told", event, memory: { count, bytes } });
    },
  };
}

async function ownPictures(
  files: readonly NamedFile[],
  { model }: TrainSettings,
  tell: Tell<RunEvent>,
): Promise<Dataset> {
  const shortSide = roomForCrops * models[model].global;
  return heldPictures(imageFiles(files, { shortSide }), {
    onProgress: ({ done, total }) => tell({ type: "pictures", done, total }),
  });
}

async function setOf(
  { set }: TrainSettings,
  sheet: string,
  own: Dataset | undefined,
): Promise<PictureSet> {
  if (own) return { training: own, test: own };
  return set === "emoji" ? emojiSet(sheet) : patternSet();
}
