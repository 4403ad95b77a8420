import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { VisionTransformer } from "@dino/backbones/vit";
import type { Params } from "@dino/ops";
import type { Json } from "@dino/trainer/node";
import type { Command } from "commander";
import type { Context } from "../command.ts";
import { UsageError } from "../errors.ts";
import { type AnimationFormat, animationFormats } from "../frames/animation.ts";
import { type Ffmpeg, findFfmpeg, needFfmpeg } from "../frames/ffmpeg.ts";
import { openSources } from "../frames/open-sources.ts";
import { isVideo, type Source } from "../frames/source.ts";
import { type ImageSize, imageSize, shortestSide } from "../model/image-size.ts";
import { version } from "../run/environment.ts";
import * as kinds from "../settings/kinds.ts";
import {
  flagValue,
  openVisionTransformer,
  type WeightsFlags,
  withWeights,
} from "./weights-options.ts";

/** Flags of the commands that show what a model sees in pictures and videos. */
export interface LookFlags extends WeightsFlags {
  readonly out: string;
  readonly imageSize?: string;
  readonly block?: string;
  readonly video?: boolean;
  readonly fps?: string;
  readonly videoFormat?: string;
  readonly json?: boolean;
}

/** What those flags ask for. */
export interface Look {
  readonly sources: readonly Source[];
  readonly backbone: VisionTransformer;
  readonly params: Params;
  readonly size: ImageSize;
  /** Counted from 0. */
  readonly block: number;
  /** Writes videos; without it they are GIFs. */
  readonly ffmpeg: Ffmpeg | undefined;
  readonly folder: string;
  /** All that decides what the pictures look like, as plain data. */
  readonly settings: { readonly [key: string]: Json };
}

/** `folder` is where the files go unless a flag says otherwise. */
export function withLook(made: Command, folder: string): Command {
  return withWeights(made)
    .argument("<PICTURE...>", "picture files, folders of them, video files")
    .option("--out <folder>", `where the files go (${folder})`, folder)
    .option(
      "--image-size <n>",
      "length of the shorter side, or rows,columns, or original; cut to whole patches (480)",
    )
    .option("--block <n>", "which block's, counted from 0 (the last)")
    .option("--video", "folders are videos, and their pictures the frames")
    .option("--fps <number>", "frames a second: of folders (30), or taken from a video file (all)")
    .option("--video-format <name>", "gif or mp4 (mp4 where there is ffmpeg)");
}

/** Checks the flags and finds the pictures, then starts the engine and loads the model. */
export async function openLook(
  context: Context,
  paths: readonly string[],
  flags: LookFlags,
): Promise<Look> {
  const { screen, environment } = context;
  const size = flagValue("--image-size", flags.imageSize, imageSize) ?? { shortSide: 480 };
  const asked = flagValue("--block", flags.block, kinds.integer({ min: 0 }));
  const rate = flagValue("--fps", flags.fps, kinds.number({ above: 0, max: 1000 }));
  const format = flagValue("--video-format", flags.videoFormat, kinds.choice(animationFormats));
  const { video, out: folder } = flags;
  const note = (line: string) => screen.note(line);
  const sources = await openSources(paths, { video, rate, environment, note });
  const ffmpeg = sources.some(isVideo) ? await videoWriter(format, environment) : undefined;

  const { backbone, params, file } = await openVisionTransformer(context, flags);
  const { patchSize, depth, heads } = backbone;
  const block = asked ?? depth - 1;
  if (block >= depth) {
    throw new UsageError(`--block: expected a number from 0 to ${depth - 1}, got ${block}`);
  }
  const side = shortestSide(size);
  if (side !== undefined && side < patchSize) {
    throw new UsageError(
      `--image-size: expected at least the model's patch of ${patchSize}, got ${side}`,
    );
  }
  const weights = statSync(file, { throwIfNoEntry: false }); // none where a server has the file
  const settings = {
    dino: version(),
    weights: weights
      ? { file: resolve(file), size: weights.size, changed: Math.round(weights.mtimeMs) }
      : { file },
    checkpointKey: flags.checkpointKey ?? "teacher",
    heads,
    block,
    imageSize: imageSize.show(size),
    pictures: paths.map((path) => resolve(path)),
    ...(rate !== undefined && { fps: rate }),
  };
  return { sources, backbone, params, size, block, ffmpeg, folder, settings };
}

/** What writes videos: ffmpeg where it is there and no GIF is asked for. */
async function videoWriter(
  format: AnimationFormat | undefined,
  environment: Context["environment"],
): Promise<Ffmpeg | undefined> {
  if (format === "gif") return undefined;
  const found = await findFfmpeg(environment);
  return format === "mp4" ? needFfmpeg(found, "--video-format mp4") : found;
}
