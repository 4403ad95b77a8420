import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Json } from "@dino/trainer/node";
import { writeWhole } from "./write-whole.ts";

/** What a folder of pictures was made with, so that a second call goes on where a first one stopped. */
export interface LookJournal {
  /** Whether all these files are there, made with the same settings and later than `changed`. */
  has(files: readonly string[], changed: number): boolean;
}

/**
 * Writes `settings` to `folder/name`. What is there already counts as done only if the same
 * settings were found there.
 */
export async function openJournal(
  folder: string,
  name: string,
  settings: Json,
): Promise<LookJournal> {
  const file = join(folder, name);
  const goesOn = textOf(file) === canonicalJson(settings);
  if (!goesOn) await writeWhole(file, `${JSON.stringify(settings, null, 2)}\n`);
  return {
    has: (files, changed) =>
      goesOn &&
      files.every((path) => {
        const found = statSync(path, { throwIfNoEntry: false });
        return found !== undefined && found.mtimeMs >= changed;
      }),
  };
}

/** The settings in a file, in the form in which equal ones are equal; nothing if it has none. */
function textOf(file: string): string | undefined {
  try {
    return canonicalJson(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}
