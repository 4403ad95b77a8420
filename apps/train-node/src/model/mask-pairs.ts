import { existsSync, readFileSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { extname, join, parse } from "node:path";
import { imageFolder } from "@dino/data/node";
import { RunError } from "../errors.ts";

/** A picture and its segmentation. */
export interface MaskPair {
  /** The path below its folder, without an ending. */
  readonly name: string;
  readonly picture: string;
  readonly mask: string;
}

export interface MaskPairsOptions {
  readonly images: string;
  readonly masks: string;
  /** A file with one name a line; all masks when absent. */
  readonly list?: string | undefined;
}

/**
 * The pictures of `images` that have a mask `NAME.png` in `masks`: every mask has to have its
 * picture, a picture may be without. Throws a `RunError` that says which file is expected where.
 */
export async function maskPairs({
  images,
  masks,
  list,
}: MaskPairsOptions): Promise<readonly MaskPair[]> {
  const folder = await imageFolder(images, { probe: false });
  const pictures = new Map<string, string>();
  for (let i = 0; i < folder.length; i++) {
    const file = folder.name(i);
    pictures.set(withoutEnding(file), join(images, file));
  }
  const names = list === undefined ? await masksBelow(masks) : listed(list);
  return names.map((name) => {
    const mask = join(masks, `${name}.png`);
    const picture = pictures.get(name);
    if (picture === undefined) {
      throw new RunError(`${images}: expected a picture ${name} (.jpg, .png, ...), got none`);
    }
    if (!existsSync(mask)) throw new RunError(`${mask}: expected the mask of ${picture}, got none`);
    return { name, picture, mask };
  });
}

async function masksBelow(folder: string): Promise<readonly string[]> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new RunError(`${folder}: expected a folder of masks, PNG files, got none`);
  }
  const files = await readdir(folder, { recursive: true });
  const names = files
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => extname(file).toLowerCase() === ".png" && !parse(file).base.startsWith("."))
    .map(withoutEnding)
    .sort();
  if (names.length > 0) return names;
  throw new RunError(`${folder}: expected masks, PNG files, got ${files.length} other files`);
}

function listed(file: string): readonly string[] {
  if (!existsSync(file)) throw new RunError(`${file}: expected a list of names, got nothing`);
  const names = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] as string)
    .filter((name) => name !== "");
  if (names.length > 0) return names;
  throw new RunError(`${file}: expected one name a line, got none`);
}

function withoutEnding(file: string): string {
  return file.slice(0, file.length - extname(file).length);
}
