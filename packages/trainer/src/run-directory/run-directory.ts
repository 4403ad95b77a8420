import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Params } from "@dino/ops";
import type { RunStore } from "../events.ts";
import type { Json } from "./canonical-json.ts";
import { cutEventFiles, eventFiles } from "./event-file.ts";
import { makeFolder, UnwritableError } from "./make-folder.ts";
import { createRecords, cutRecords, type Records } from "./records.ts";
import { decodeRun, encodeRun, type SavedCheckpoint } from "./saved-run.ts";

export type { SavedCheckpoint } from "./saved-run.ts";

/** How files of tensors are read and written: `openCheckpoint` and `writeSafetensors` of `@dino/checkpoint/node`. */
export interface CheckpointFiles {
  open(path: string): Promise<SavedCheckpoint>;
  /** Whole or not at all. The tensors stay the caller's. */
  write(path: string, entries: Params, metadata: Readonly<Record<string, string>>): Promise<void>;
}

export interface RunDirectoryOptions {
  /** Everything that changes the run's numbers; a saved state with other settings is an error. */
  readonly settings: Json;
  readonly stepsPerEpoch: number;
  /** Width of the head: a loss of its logarithm has learnt nothing. */
  readonly prototypes: number;
  /** Texts by name, such as the configuration, that lie beside a run; written when it begins. */
  readonly texts?: Readonly<Record<string, string>>;
}

/**
 * A run in a folder: the state in `checkpoints`, figures in `metrics.jsonl`, `log.txt` (the
 * reference's form) and TensorBoard's event files, words in `train.log`, the model in `exported`.
 */
export interface RunDirectory extends RunStore {
  readonly path: string;
  /** Adds a line to `train.log`, with the time in front. */
  note(line: string): void;
  /** Writes the backbone alone, with the names that other programs know, and returns its path. */
  exportBackbone(params: Params, metadata: Readonly<Record<string, string>>): Promise<string>;
  /** Takes away what this run has made, provided that it is new and no step of it was done. */
  discard(): void;
  close(): void;
}

/** Nothing is touched before `load`, which begins the run in its folder or goes on with it. */
export function runDirectory(
  path: string,
  files: CheckpointFiles,
  { settings, stepsPerEpoch, prototypes, texts = {} }: RunDirectoryOptions,
): RunDirectory {
  const checkpoints = join(path, "checkpoints");
  const last = join(checkpoints, "last.safetensors");
  let records: Records | undefined;
  let undo: (() => void) | undefined;

  const begin = () => {
    assertOwn(path, texts);
    const made = makeFolder(checkpoints);
    undo = () => {
      removeRecords(path, texts);
      if (made) rmSync(made, { recursive: true, force: true });
    };
    removeRecords(path, texts);
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(path, name), text);
    records = createRecords(path, { prototypes });
  };
  const goOn = async () => {
    assertWritable(checkpoints);
    const saved = await decodeRun(last, await files.open(last), settings);
    const { step } = saved.state;
    removeUnfinished(checkpoints);
    cutRecords(path, { step, stepsPerEpoch });
    cutEventFiles(path, step);
    records = createRecords(path, { prototypes, resumedFrom: step });
    return saved;
  };
  const open = () => {
    if (records === undefined)
      throw new Error(`${path}: expected load() before anything is written`);
    return records;
  };

  return {
    path,
    load: async () => {
      if (existsSync(last)) return goOn();
      begin();
      return undefined;
    },
    save: async (saved, name) => {
      const { entries, metadata } = await encodeRun(saved, settings);
      await files.write(join(checkpoints, `${name}.safetensors`), entries, metadata);
    },
    record: (event) => {
      if (event.type === "step") undo = undefined;
      open().event(event);
    },
    note: (line) => records?.note(line),
    exportBackbone: async (params, metadata) => {
      const folder = join(path, "exported");
      makeFolder(folder);
      const target = join(folder, "backbone.safetensors");
      await files.write(target, params, metadata);
      return target;
    },
    discard: () => {
      records?.close();
      records = undefined;
      undo?.();
      undo = undefined;
    },
    close: () => {
      records?.close();
      records = undefined;
    },
  };
}

function assertWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw new UnwritableError(path, cause);
  }
}

/** A text that lies there already must be a run's, which begins with the same line; never someone's own. */
function assertOwn(path: string, texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) {
    const own = join(path, name);
    if (!existsSync(own)) continue;
    const [first] = text.split("\n");
    if (readFileSync(own, "utf8").split("\n")[0] === first) continue;
    throw new Error(
      `${own}: expected none or one of a run, got another file: choose another folder`,
    );
  }
}

/** Takes away the records of a run that never got as far as a checkpoint. */
function removeRecords(path: string, texts: Readonly<Record<string, string>>): void {
  if (!Object.keys(texts).some((name) => existsSync(join(path, name)))) return;
  const names = [
    ...Object.keys(texts),
    "metrics.jsonl",
    "log.txt",
    "train.log",
    ...eventFiles(path),
  ];
  for (const name of names) rmSync(join(path, name), { force: true });
}

/** Files that were being written when a run was killed. */
function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".tmp")) rmSync(join(folder, name), { force: true });
  }
}
