import type { Params } from "@dino/ops";
import type { RunStore, TrainEvent } from "../events.ts";
import type { Json } from "../run-directory/canonical-json.ts";
import { decodeRun, encodeRun, type SavedCheckpoint } from "../run-directory/saved-run.ts";

/** How checkpoints become bytes and back: `openCheckpoint` and `streamSafetensors` of `@dino/checkpoint`. */
export interface CheckpointBytes {
  open(file: Blob): Promise<SavedCheckpoint>;
  encode(
    entries: Params,
    metadata: Readonly<Record<string, string>>,
  ): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface OriginRunOptions {
  /** Everything that changes the run's numbers; a saved state with other settings is an error. */
  readonly settings: Json;
}

/** A run in a folder of the browser's. */
export interface OriginRun extends RunStore {
  /** What was told of the run so far; after `load`, what had been told by the step it goes on from. */
  readonly events: readonly TrainEvent[];
}

const last = "last.safetensors";
const eventsName = "events.jsonl";

/**
 * A run in a folder of the origin-private file system, or in one that a person has picked: the
 * state in `last.safetensors` and its like, what happened in `events.jsonl`, which is written with
 * each state. A file is whole or as it was before: browsers write to another and swap the two.
 */
export function originRun(
  folder: FileSystemDirectoryHandle,
  { open, encode }: CheckpointBytes,
  { settings }: OriginRunOptions,
): OriginRun {
  let events: TrainEvent[] = [];

  return {
    get events() {
      return events;
    },
    load: async () => {
      const file = await fileIn(folder, last);
      events = [];
      if (file === undefined) return undefined;
      const saved = await decodeRun(last, await open(file), settings);
      const told = linesOf(await (await fileIn(folder, eventsName))?.text());
      events = told.filter((event) => !("step" in event) || event.step <= saved.state.step);
      return saved;
    },
    save: async (saved, name) => {
      const { entries, metadata } = await encodeRun(saved, settings);
      // First the events: more of them than the state knows are cut when it is read.
      await write(folder, eventsName, [textOf(events)]);
      await write(folder, `${name}.safetensors`, encode(entries, metadata));
    },
    record: (event) => {
      events.push(event);
    },
  };
}

async function fileIn(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  try {
    return await (await folder.getFileHandle(name)).getFile();
  } catch (error) {
    if ((error as Error).name === "NotFoundError") return undefined;
    throw error;
  }
}

async function write(
  folder: FileSystemDirectoryHandle,
  name: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = await folder.getFileHandle(name, { create: true });
  const stream = await file.createWritable();
  try {
    for await (const part of parts) await stream.write(part as Uint8Array<ArrayBuffer>);
  } catch (error) {
    await stream.abort();
    throw error;
  }
  await stream.close();
}

function textOf(events: readonly TrainEvent[]): Uint8Array {
  return new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

function linesOf(text = ""): TrainEvent[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as TrainEvent);
}
