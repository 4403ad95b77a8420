import { statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { imageFolder, readImage } from "@dino/data/node";
import { uniqueNames } from "../model/picture-files.ts";
import { type Ffmpeg, findFfmpeg, needFfmpeg } from "./ffmpeg.ts";
import type { Frame, Source } from "./source.ts";
import { isVideoFile, videoFile } from "./video-file.ts";

/** The reference's rate of a folder of frames. */
const usualRate = 30;

export interface SourcesOptions {
  /** Folders are videos, their pictures the frames. */
  readonly video?: boolean | undefined;
  /** Frames a second: of folders 30 by default, of video files all that there are. */
  readonly rate?: number | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Is told of pictures that cannot be read. */
  readonly note: (line: string) => void;
}

/** What paths mean: pictures, all pictures below folders, videos. No two have the same name. */
export async function openSources(
  paths: readonly string[],
  { video = false, rate, environment, note }: SourcesOptions,
): Promise<readonly Source[]> {
  let ffmpeg: Ffmpeg | undefined;
  const sources: Source[] = [];
  for (const path of paths) {
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (isFolder) {
      const files = await picturesBelow(path, note);
      if (video) sources.push(folderVideo(path, files, rate ?? usualRate));
      else sources.push(...files.map(pictureFile));
    } else if (isVideoFile(path)) {
      ffmpeg ??= needFfmpeg(await findFfmpeg(environment), path);
      sources.push(await videoFile(ffmpeg, path, { name: stem(path), rate }));
    } else {
      sources.push(pictureFile(path));
    }
  }
  const names = uniqueNames(sources.map(({ name }) => name));
  return sources.map((source, i) => ({ ...source, name: names[i] as string }));
}

async function picturesBelow(
  path: string,
  note: (line: string) => void,
): Promise<readonly string[]> {
  const folder = await imageFolder(path);
  for (const { name, reason } of folder.broken) note(`${join(path, name)}: left out: ${reason}`);
  return Array.from({ length: folder.length }, (_, i) => join(path, folder.name(i)));
}

function pictureFile(path: string): Source {
  const frame = frameOf(path, stem(path));
  return {
    path,
    name: frame.name,
    count: 1,
    rate: undefined,
    frames: async function* () {
      yield frame;
    },
  };
}

/** Frames in the order of their numbers, whether these have leading zeros or not. */
function folderVideo(path: string, files: readonly string[], rate: number): Source {
  const { compare } = new Intl.Collator("en", { numeric: true });
  const sorted = [...files].sort(compare);
  const names = uniqueNames(sorted.map(stem));
  return {
    path,
    name: basename(resolve(path)),
    count: files.length,
    rate,
    frames: async function* () {
      for (const [i, file] of sorted.entries()) yield frameOf(file, names[i] as string);
    },
  };
}

function frameOf(path: string, name: string): Frame {
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return { name, path, changed, read: () => readImage(path) };
}

const stem = (path: string): string => basename(path, extname(path));
