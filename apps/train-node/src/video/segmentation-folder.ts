import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Json, makeFolder } from "@dino/trainer/node";
import { RunError } from "../errors.ts";
import type { DavisVideo } from "./davis-videos.ts";
import { labelFile } from "./segment-frames.ts";

/** What a folder's segmentations are of is in this file of it. */
const settingsFile = "segmentation.json";

/** A folder that segmentations are written to, and that one may come back to. */
export interface SegmentationFolder {
  /** Where the labels of a video's frames are, or go to. */
  of(video: DavisVideo): string;
  /** Whether they are all there. */
  has(video: DavisVideo): boolean;
}

/**
 * Makes the folder, or goes on with it where its segmentations are of the same model, data and
 * settings. Another's are never mixed with these: a `RunError` says so.
 */
export function segmentationFolder(
  path: string,
  settings: Json,
  videos: readonly DavisVideo[],
): SegmentationFolder {
  makeFolder(path);
  const of = ({ name }: DavisVideo) => join(path, name);
  const file = join(path, settingsFile);
  const told = `${canonicalJson(settings)}\n`;
  if (existsSync(file)) {
    if (readFileSync(file, "utf8") !== told) {
      throw new RunError(
        `${path}: expected segmentations of this model with these settings, got others: choose ` +
          "another folder by --output-dir",
      );
    }
  } else {
    const taken = videos.find((video) => existsSync(of(video)));
    if (taken !== undefined) {
      throw new RunError(
        `${of(taken)}: expected nothing there yet, got a folder: choose another one by --output-dir`,
      );
    }
    writeFileSync(`${file}.tmp`, told);
    renameSync(`${file}.tmp`, file);
  }
  return {
    of,
    has: (video) => {
      const folder = of(video);
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false;
      const there = new Set(readdirSync(folder));
      return video.frames.every((frame) => there.has(labelFile(frame)));
    },
  };
}
