import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { RunError, UsageError } from "../../errors.ts";

/** Flags that name class folders. */
export interface ClassFolderFlags {
  readonly train?: string;
  readonly test?: string;
  readonly dataPath?: string;
}

export interface ClassFolders {
  readonly train: string;
  readonly test: string | undefined;
}

export function withClassFolders(
  made: Command,
  { train, test }: { readonly train: string; readonly test: string },
): Command {
  return made
    .option("--train <folder>", train)
    .option("--test <folder>", test)
    .option(
      "--data-path <folder>",
      "in place of both: a folder with train and val (or test) in it",
    );
}

/** The folders that the flags name: each by itself, or both by the one that they are in. */
export function classFolders({ train, test, dataPath }: ClassFolderFlags): ClassFolders {
  if (dataPath === undefined) {
    if (train !== undefined) return { train, test };
    throw new UsageError("--train: expected a folder of class folders (or --data-path), got none");
  }
  if (train !== undefined || test !== undefined) {
    const other = train === undefined ? "--test" : "--train";
    throw new UsageError(`${other}: expected none beside --data-path, which stands for both`);
  }
  return { train: within(dataPath, "train"), test: within(dataPath, "val", "test") };
}

/** The first of these folders that there is. */
function within(folder: string, ...names: readonly string[]): string {
  const found = names.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new RunError(
    `${folder}: expected class folders in ${names.map((name) => join(folder, name)).join(" or ")}, got nothing there`,
  );
}
