import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** A folder cannot be made, or nothing may be written into it. */
export class UnwritableError extends Error {
  constructor(path: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${path}: expected a folder that can be written, got ${reason}`, { cause });
  }
}

/** Makes a folder and those above it; returns the topmost that was missing. */
export function makeFolder(path: string): string | undefined {
  try {
    if (existsSync(path)) {
      accessSync(path, constants.W_OK);
      return undefined;
    }
    // Level by level: Node's own recursive mode never returns where the system refuses silently.
    const above = makeFolder(dirname(path));
    mkdirSync(path);
    return above ?? path;
  } catch (cause) {
    throw cause instanceof UnwritableError ? cause : new UnwritableError(path, cause);
  }
}
