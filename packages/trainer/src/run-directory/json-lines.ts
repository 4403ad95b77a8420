import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";

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

/** Keeps the lines at the front of `path` that `keep` accepts, up to the first that it does not. */
export function cutJsonLines(
  path: string,
  keep: (value: Readonly<Record<string, unknown>>) => boolean,
): void {
  if (!existsSync(path)) return;
  const lines = readFileSync(path, "utf8").split("\n");
  const kept: string[] = [];
  for (const line of lines) {
    const value = parsed(line);
    if (value === undefined || !keep(value)) break;
    kept.push(`${line}\n`);
  }
  writeFileSync(path, kept.join(""));
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
