import { join } from "node:path";
import type { Pixels } from "@dino/ops";
import sharp from "sharp";
import { writeWhole } from "./write-whole.ts";

/** Pictures by what they show. */
export type NamedPictures = readonly (readonly [name: string, picture: Pixels])[];

/** The file of one of a picture's pictures. */
export function pictureFile(folder: string, name: string, what: string): string {
  return join(folder, `${name}-${what}.png`);
}

/** Writes pictures to `folder` as `NAME-what.png`, each whole or not at all, and returns their paths. */
export async function writePictures(
  folder: string,
  name: string,
  pictures: NamedPictures,
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const [what, picture] of pictures) {
    const file = pictureFile(folder, name, what);
    await writePng(file, picture);
    files.push(file);
  }
  return files;
}

/** Writes a picture, whole or not at all. sharp's encoder: many times as fast as one in JavaScript, which a video notices. */
export async function writePng(file: string, { width, height, data }: Pixels): Promise<void> {
  const picture = sharp(data, { raw: { width, height, channels: 3 } }).png();
  await writeWhole(file, (part) => picture.toFile(part));
}
