import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeFolder } from "@dino/trainer/node";
import { RunError } from "../errors.ts";

/** Writes a file so that it is there whole or not at all; the folders above it are made. */
export async function writeWhole(
  file: string,
  write: Uint8Array | string | ((part: string) => Promise<unknown>),
): Promise<void> {
  const folder = dirname(file);
  makeFolder(folder);
  if (!statSync(folder).isDirectory()) {
    throw new RunError(`${folder}: expected a folder that can be written, got a file`);
  }
  const part = join(folder, `.${basename(file)}.${randomUUID()}.part`);
  try {
    await (typeof write === "function" ? write(part) : writeFile(part, write));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
