import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CheckpointError } from "../checkpoint-error.ts";

let writes = 0;

/**
 * Writes a file, whole or not at all: under a temporary name in the same folder, synced, then
 * renamed, so that a crash at any moment leaves the old file or the new one.
 */
export async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const folder = dirname(path);
  writes += 1;
  // Ends otherwise, so that whoever looks for checkpoints never takes it for one.
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${writes}.tmp`);
  try {
    await writeSynced(temporary, chunks);
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof CheckpointError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(`${path}: expected to write a checkpoint, got ${reason}`, { cause });
  }
}

async function writeSynced(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, "w");
  try {
    for await (const chunk of chunks) await file.writeFile(chunk); // from where the last one ended
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the new name itself last. Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
