import { closeSync, openSync, readdirSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { encodeEvent, type ScalarEvent, stepOfEvent } from "./event.ts";
import { decodeRecords, encodeRecord } from "./tf-record.ts";

const prefix = "events.out.tfevents.";

/** A TensorBoard event file that is being written. */
export interface EventFile {
  /** Values by tag at a step. */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  close(): void;
}

/** Begins an event file in `folder`. Where a run goes on, `resumedFrom` makes readers forget what came later. */
export function createEventFile(folder: string, resumedFrom?: number): EventFile {
  const file = openSync(join(folder, freshName(folder)), "wx");
  const write = (step: number, says: ScalarEvent["says"]) => {
    const event = encodeEvent({ wallTime: Date.now() / 1000, step, says });
    writeSync(file, encodeRecord(event));
  };
  write(0, "version");
  if (resumedFrom !== undefined) write(resumedFrom + 1, "restart");
  return { scalars: write, close: () => closeSync(file) };
}

/** Cuts the event files of `folder` back to what was written up to `step`. */
export function cutEventFiles(folder: string, step: number): void {
  for (const name of eventFiles(folder)) {
    const path = join(folder, name);
    let kept = 0;
    for (const { data, end } of decodeRecords(readFileSync(path))) {
      if (stepOfEvent(data) > step) break;
      kept = end;
    }
    truncateSync(path, kept);
  }
}

/** Names of the event files in `folder`. */
export function eventFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .sort();
}

/** TensorBoard reads a folder's files in the order of their names, which begin with the time. */
function freshName(folder: string): string {
  const latest = Number(eventFiles(folder).at(-1)?.slice(prefix.length).split(".")[0] ?? 0);
  const seconds = Math.max(Math.floor(Date.now() / 1000), latest + 1);
  return `${prefix}${String(seconds).padStart(10, "0")}.${hostname()}.${process.pid}.0`;
}
