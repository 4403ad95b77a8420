import { resolve } from "node:path";
import { meanSegmentationScores, type SegmentationScores } from "@dino/evaluation";
import { type Command, Option } from "commander";
import { type Context, command } from "../../command.ts";
import { type Console, jsonLine } from "../../console/console.ts";
import { progressLine } from "../../console/progress.ts";
import { stoppable } from "../../console/stoppable.ts";
import { count } from "../../console/words.ts";
import { UsageError } from "../../errors.ts";
import { modelIdentity } from "../../features/feature-identity.ts";
import * as kinds from "../../settings/kinds.ts";
import { type DavisVideo, davisVideos } from "../../video/davis-videos.ts";
import { scoreFrames } from "../../video/score-frames.ts";
import { segmentFrames } from "../../video/segment-frames.ts";
import { segmentationFolder } from "../../video/segmentation-folder.ts";
import {
  flagValue,
  openVisionTransformer,
  type WeightsFlags,
  withWeights,
} from "../weights-options.ts";

interface VideoFlags extends WeightsFlags {
  readonly dataPath: string;
  readonly outputDir: string;
  readonly nLastFrames?: string;
  readonly sizeMaskNeighborhood?: string;
  readonly topk?: string;
  readonly temperature?: string;
  readonly imageSize?: string;
  readonly imageSet: string;
  readonly resolution: string;
  readonly json?: boolean;
}

/** `dino eval video-segmentation` */
export function videoSegmentationCommand(context: Context): Command {
  return withWeights(
    command("video-segmentation", "follow objects through videos, laid out as DAVIS-2017 is"),
  )
    .requiredOption("--data-path <folder>", "JPEGImages, Annotations and ImageSets are below it")
    .option(
      "--output-dir <folder>",
      "where segmentations go, a folder a video (segmentations)",
      "segmentations",
    )
    .option("--n-last-frames <n>", "latest frames that are looked at, besides the first (7)")
    .option(
      "--size-mask-neighborhood <n>",
      "patches to each side of its own place where a patch looks; 0 for all (12)",
    )
    .option("--topk <n>", "patches that a patch takes its label from (5)")
    .option("--temperature <number>", "how fast a patch's weight falls with distance (0.1)")
    .option("--image-size <n>", "length of the frames' shorter side (480)")
    .option("--image-set <name>", "list of videos below ImageSets, or all (2017/val)", "2017/val")
    .option("--resolution <name>", "folder below JPEGImages and Annotations (480p)", "480p")
    .option("--json", "print one line of JSON with J&F, J and F of every object, in percent")
    .addOption(new Option("--bs <n>").hideHelp().argParser(refuseBatch))
    .addHelpText(
      "after",
      `
Masks are PNG files whose numbers are objects, in DAVIS's palette. Videos that are segmented
already are not segmented again: a run that was stopped goes on where it was.

Example:
  dino eval video-segmentation --weights dino_vits16.safetensors --data-path DAVIS`,
    )
    .action((flags: VideoFlags) => evalVideoSegmentation(context, flags));
}

const words = {
  stopping: "stopping",
  stopped: "stopped: videos that are done stay, and the same command goes on with the others",
};

async function evalVideoSegmentation(context: Context, flags: VideoFlags): Promise<void> {
  const { screen } = context;
  const from = (min: number) => kinds.integer({ min });
  const settings = {
    lastFrames: flagValue("--n-last-frames", flags.nLastFrames, from(0)) ?? 7,
    neighborhood: flagValue("--size-mask-neighborhood", flags.sizeMaskNeighborhood, from(0)) ?? 12,
    topK: flagValue("--topk", flags.topk, from(1)) ?? 5,
    temperature: flagValue("--temperature", flags.temperature, kinds.number({ above: 0 })) ?? 0.1,
    shortSide: flagValue("--image-size", flags.imageSize, from(1)) ?? 480,
  };
  const { imageSet, resolution, dataPath } = flags;
  const videos = davisVideos(dataPath, { imageSet, resolution });
  await stoppable(context, words, async (signal) => {
    const model = await openVisionTransformer(context, flags);
    const identity = {
      model: JSON.parse(await modelIdentity(model)),
      data: { path: resolve(dataPath), resolution },
      settings,
    };
    const folder = segmentationFolder(flags.outputDir, identity, videos);
    const done = videos.filter((video) => folder.has(video)).length;
    if (done > 0) screen.note(`${flags.outputDir}: ${count(done)} videos were segmented before`);

    const scored: Scored[] = [];
    for (const [i, video] of videos.entries()) {
      const place = folder.of(video);
      if (!folder.has(video)) {
        const name = `${video.name} (${count(i + 1)} of ${count(videos.length)})`;
        const onProgress = progressLine(screen, name, "frames");
        await segmentFrames(model, video, place, { ...settings, signal, onProgress });
      }
      scored.push({ video, folder: place, objects: scoreFrames(video, place) });
    }
    show(screen, flags, scored);
  });
}

interface Scored {
  readonly video: DavisVideo;
  readonly folder: string;
  /** Nothing where the video has no masks to compare with. */
  readonly objects: readonly SegmentationScores[] | undefined;
}

function show(screen: Console, { json, outputDir }: VideoFlags, scored: readonly Scored[]): void {
  const objects = scored.flatMap((video) => video.objects ?? []);
  const mean = objects.length > 0 ? meanSegmentationScores(objects) : undefined;
  const unknown = scored.filter((video) => video.objects === undefined);
  if (unknown.length > 0) {
    const names = unknown.map(({ video }) => video.name);
    screen.note(`not scored, for want of masks: ${names.join(", ")}`);
  }
  if (json) {
    const videos = scored.map(({ video, folder, objects = null }) => {
      return { name: video.name, frames: video.frames.length, folder, objects };
    });
    screen.result(jsonLine({ scores: mean ?? null, videos, folder: outputDir }));
    return;
  }
  for (const { video, objects } of scored) {
    objects?.forEach((scores, i) => {
      screen.result(`${video.name}_${i + 1}: ${figures(scores)}`);
    });
  }
  screen.result(mean ? `all objects: ${figures(mean)}` : `segmentations are in ${outputDir}`);
}

function figures({ mean, region, boundary }: SegmentationScores): string {
  const of = (letter: string, { mean, recall, decay }: SegmentationScores["region"]) =>
    `${letter} ${mean.toFixed(1)} (recall ${recall.toFixed(1)}, decay ${decay.toFixed(1)})`;
  return `J&F ${mean.toFixed(1)}, ${of("J", region)}, ${of("F", boundary)} %`;
}

function refuseBatch(): never {
  throw new UsageError("--bs: frames are seen one by one, so there is no batch: leave it out");
}
