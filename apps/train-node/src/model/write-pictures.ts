import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodePng } from "@dino/visualization";
import { RunError } from "../errors.ts";
import type { NamedPictures } from "./attention-pictures.ts";

/** Writes pictures to `folder` as `NAME-what.png`, and returns their paths. */
export async function writePictures(
  folder: string,
  name: string,
  pictures: NamedPictures,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true }).catch((cause: Error) => {
    throw new RunError(`${folder}: expected a folder that can be written, got ${cause.message}`, {
      cause,
    });
  });
  const files: string[] = [];
  for (const [what, picture] of pictures) {
    const file = join(folder, `${name}-${what}.png`);
    await writeFile(file, await encodePng(picture));
    files.push(file);
  }
  return files;
}
