import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "@dino/trainer/node";
import { encodePng } from "@dino/visualization";
import type { NamedPictures } from "./attention-pictures.ts";

/** Writes pictures to `folder` as `NAME-what.png`, and returns their paths. */
export async function writePictures(
  folder: string,
  name: string,
  pictures: NamedPictures,
): Promise<readonly string[]> {
  makeFolder(folder);
  const files: string[] = [];
  for (const [what, picture] of pictures) {
    const file = join(folder, `${name}-${what}.png`);
    await writeFile(file, await encodePng(picture));
    files.push(file);
  }
  return files;
}
