import { mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { sampleBilinear } from "@dino/augmentations";
import { readImage } from "@dino/data/node";
import {
  labelMap,
  type PatchGrid,
  type Progress,
  patchFeatures,
  patchLabels,
  resizeLabels,
  type SegmentVideoOptions,
  segmentVideo,
} from "@dino/evaluation";
import { imagenet, imageTensor, type Normalization, type Pixels } from "@dino/ops";
import { type Tensor2D, type Tensor4D, tidy } from "@tensorflow/tfjs-core";
import { RunError } from "../errors.ts";
import type { VitModel } from "../model/weights.ts";
import type { DavisVideo } from "./davis-videos.ts";
import { frameSize, type Size } from "./frame-size.ts";
import { readLabels, writeLabels } from "./label-files.ts";

export interface SegmentFramesOptions extends SegmentVideoOptions {
  /** The length that frames' shorter side is brought to. */
  readonly shortSide: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** The reference's own deviation of red in this evaluation, which differs in the last digit. */
const normalization: Normalization = { ...imagenet, std: [0.228, 0.224, 0.225] };

/**
 * Writes the labels of every frame of a video to `folder`, whole or not at all, in files named
 * after the frames. Those of the first are the ones that were given.
 */
export async function segmentFrames(
  { backbone, params }: Pick<VitModel, "backbone" | "params">,
  video: DavisVideo,
  folder: string,
  { shortSide, onProgress, ...options }: SegmentFramesOptions,
): Promise<void> {
  const { frames } = video;
  const mask = video.masks[0] as string;
  const given = readLabels(mask);
  const size = frameSize(given, shortSide);
  const grid = patchGrid(size, backbone.patchSize);
  if (grid.rows * grid.columns === 0) {
    throw new RunError(
      `${mask}: expected frames with a patch of ${backbone.patchSize} in ${size.width} x ` +
        `${size.height} pixels, got none (--image-size makes them larger)`,
    );
  }

  async function* features(): AsyncGenerator<Tensor2D> {
    for (const frame of frames) {
      const picture = await readImage(frame);
      assertSize(frame, picture, given, mask);
      yield tidy(() => patchFeatures(backbone, params, frameTensor(picture, size)));
    }
  }

  const unfinished = join(folder, "..", `.${basename(folder)}.${process.pid}.tmp`);
  mkdirSync(unfinished);
  try {
    const write = (frame: number, labels: typeof given) =>
      writeLabels(join(unfinished, labelFile(frames[frame] as string)), labels);
    write(0, given);
    let frame = 1;
    for await (const found of segmentVideo(features(), patchLabels(given, grid), options)) {
      write(frame++, resizeLabels(labelMap(found, backbone.patchSize), given));
      onProgress({ done: frame, total: frames.length });
    }
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** The name of the file that a frame's labels are in. */
export function labelFile(frame: string): string {
  return `${basename(frame, extname(frame))}.png`;
}

function patchGrid({ width, height }: Size, patchSize: number): PatchGrid {
  return { rows: Math.floor(height / patchSize), columns: Math.floor(width / patchSize) };
}

function frameTensor(picture: Pixels, size: Size): Tensor4D {
  const { data } = sampleBilinear(picture, size);
  return imageTensor(data, [1, size.height, size.width], normalization);
}

function assertSize(frame: string, picture: Pixels, given: Size, mask: string): void {
  if (picture.width === given.width && picture.height === given.height) return;
  throw new RunError(
    `${frame}: expected ${given.width} x ${given.height} pixels as in ${mask}, ` +
      `got ${picture.width} x ${picture.height}`,
  );
}
