import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { RunError } from "../errors.ts";

/**
 * Makes a folder of files, whole or not at all: `write` fills another beside it, which is renamed
 * at the end. Nothing but an empty folder may lie there already.
 */
export async function writeFolder(
  path: string,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path);
  assertFree(path, target);
  const folder = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    mkdirSync(folder, { recursive: true });
    await write(folder);
    if (existsSync(target)) rmdirSync(target);
    renameSync(folder, target);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function assertFree(path: string, target: string): void {
  const there = statSync(target, { throwIfNoEntry: false });
  if (!there || (there.isDirectory() && readdirSync(target).length === 0)) return;
  const got = there.isDirectory() ? "a folder with files in it" : "a file";
  throw new RunError(`${path}: expected nothing or an empty folder there, got ${got}`);
}
