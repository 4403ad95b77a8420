import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { RunError } from "../errors.ts";

const prefix = ".installing-";

/**
 * A folder beside `folder`, in which what is to be there is made. `finish` puts it in place, in
 * one step; `abandon` leaves nothing behind. What a killed process left is cleared away.
 */
export interface Staging {
  readonly folder: string;
  finish(): void;
  abandon(): void;
}

export function stage(folder: string): Staging {
  const parent = dirname(folder);
  const made = join(parent, `${prefix}${process.pid}`);
  writing(parent, () => {
    mkdirSync(made, { recursive: true });
    clearLeftovers(parent);
  });
  return {
    folder: made,
    finish: () => {
      const old = setAside(folder);
      renameSync(made, folder);
      remove(old);
    },
    abandon: () => {
      remove(made);
      removeEmpty(parent);
    },
  };
}

/** Removes a folder; a process that starts meanwhile finds all of it, or none. */
export function removeFolder(folder: string): void {
  const parent = dirname(folder);
  writing(parent, () => remove(setAside(folder)));
  removeEmpty(parent);
}

/** Tells whose permissions are missing. */
function writing(folder: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new RunError(`${folder}: expected a folder that can be written, got ${code}`, { cause });
  }
}

/** Nobody needs the folder of engines when there is none in it. */
function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

function setAside(folder: string): string {
  const aside = join(dirname(folder), `${prefix}${process.pid}-old`);
  if (existsSync(folder)) renameSync(folder, aside);
  return aside;
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function clearLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, pid] = new RegExp(`^\\${prefix}(\\d+)(-old)?$`).exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Bytes that can still be written to where a folder lies. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
