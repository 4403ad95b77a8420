import { join } from "node:path";
import { type SegmentationScores, segmentationScores } from "@dino/evaluation";
import { RunError } from "../errors.ts";
import type { DavisVideo } from "./davis-videos.ts";
import { readLabels } from "./label-files.ts";
import { labelFile } from "./segment-frames.ts";

/** How well each object was followed; nothing where not every frame that counts has its mask. */
export function scoreFrames(
  { name, frames, masks }: DavisVideo,
  folder: string,
): readonly SegmentationScores[] | undefined {
  const counted = masks.slice(0, -1);
  if (frames.length < 3 || counted.some((mask) => mask === undefined)) return undefined;
  const files = frames.map((frame) => join(folder, labelFile(frame)));
  try {
    const found = files.map(readLabels);
    // The last frame does not count, and may have no mask.
    const truth = masks.map((mask, i) => (mask === undefined ? found[i] : readLabels(mask)));
    return segmentationScores(found, truth as typeof found);
  } catch (cause) {
    if (cause instanceof RunError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RunError(`${name}: ${reason}`, { cause });
  }
}
