import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { RunError } from "../errors.ts";

/** A video as a folder of frames. */
export interface DavisVideo {
  readonly name: string;
  /** Picture files, in order: two at least. */
  readonly frames: readonly string[];
  /** The mask of each frame, where there is one; there is one of the first. */
  readonly masks: readonly (string | undefined)[];
}

export interface DavisOptions {
  /** The list of videos, a file below `ImageSets` without its ending; `all` for every folder of frames. */
  readonly imageSet?: string;
  /** The folder of this name below `JPEGImages` and `Annotations`. */
  readonly resolution?: string;
}

const layout =
  "JPEGImages/480p/VIDEO/00000.jpg, Annotations/480p/VIDEO/00000.png, ImageSets/2017/val.txt";

/**
 * The videos below a folder that is laid out as DAVIS is. A `RunError` says what is missing, and
 * where it should be.
 */
export function davisVideos(
  root: string,
  { imageSet = "2017/val", resolution = "480p" }: DavisOptions = {},
): readonly DavisVideo[] {
  const pictures = join(root, "JPEGImages", resolution);
  const masks = join(root, "Annotations", resolution);
  if (!isFolder(root)) throw new RunError(`${root}: expected a folder with ${layout}, got none`);
  if (!isFolder(pictures)) {
    throw new RunError(`${pictures}: expected a folder of frames for each video, got none`);
  }
  if (!isFolder(masks)) {
    throw new RunError(`${masks}: expected a folder of masks for each video, got none`);
  }
  return namesOf(root, pictures, imageSet).map((name) => {
    const frames = framesOf(join(pictures, name));
    const folder = join(masks, name);
    const own = frames.map((frame) => {
      const mask = join(folder, `${basename(frame, extname(frame))}.png`);
      return existsSync(mask) ? mask : undefined;
    });
    if (own[0] === undefined) {
      const first = `${basename(frames[0] as string, extname(frames[0] as string))}.png`;
      throw new RunError(
        `${join(folder, first)}: expected the mask of the first frame of ${name}, got nothing`,
      );
    }
    return { name, frames, masks: own };
  });
}

function namesOf(root: string, pictures: string, imageSet: string): readonly string[] {
  if (imageSet === "all") {
    const entries = readdirSync(pictures, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    if (names.length > 0) return names.sort();
    throw new RunError(`${pictures}: expected a folder of frames for each video, got none in it`);
  }
  const file = join(root, "ImageSets", `${imageSet}.txt`);
  if (!existsSync(file)) {
    throw new RunError(
      `${file}: expected a list of videos, a name a line, got none (--image-set all takes every ` +
        `folder of ${pictures})`,
    );
  }
  const lines = readFileSync(file, "utf8").split("\n");
  const names = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (names.length === 0) throw new RunError(`${file}: expected a name a line, got none`);
  const outside = names.find((name) => /[\\/]|^\.\.?$/.test(name));
  if (outside !== undefined) {
    throw new RunError(`${file}: expected names of folders, got ${JSON.stringify(outside)}`);
  }
  return names;
}

function framesOf(folder: string): readonly string[] {
  if (!isFolder(folder)) throw new RunError(`${folder}: expected the frames of a video, got none`);
  const names = readdirSync(folder).filter((name) => /^[^.].*\.(jpe?g|png)$/i.test(name));
  if (names.length < 2) {
    throw new RunError(
      `${folder}: expected frames such as 00000.jpg and 00001.jpg, got ${names.length} of them`,
    );
  }
  return names.sort().map((name) => join(folder, name));
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
