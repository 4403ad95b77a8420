import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";

/** A file of one JSON object a line that is being written. */
export interface JsonLines {
  write(value: object): void;
  close(): void;
}

/** Goes on writing at the end of `path`. Every line is whole in the file once `write` has returned. */
export function appendJsonLines(path: string): JsonLines {
  const file = openSync(path, "a");
  return {
    write: (value) => {
      writeSync(file, `${JSON.stringify(value)}\n`);
    },
    close: () => closeSync(file),
  };
}

/**
 * Keeps the lines at the front of `path` that `keep` accepts, up to the first that it does not.
 * The file is cut where it lies, so that a crash here loses nothing of them.
 */
export function cutJsonLines(
  path: string,
  keep: (value: Readonly<Record<string, unknown>>) => boolean,
): void {
  if (!existsSync(path)) return;
  let kept = 0;
  for (const line of readFileSync(path, "utf8").split(/(?<=\n)/)) {
    const value = line.endsWith("\n") ? parsed(line) : undefined;
    if (value === undefined || !keep(value)) break;
    kept += Buffer.byteLength(line);
  }
  truncateSync(path, kept);
}

/** The object of a line; a line that a crash cut short has none. */
function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
