import type { Context } from "../command.ts";
import { jsonLine } from "../console/console.ts";
import { stoppable } from "../console/stoppable.ts";
import { count } from "../console/words.ts";
import { type DrawSourceOptions, drawSource } from "../frames/draw-source.ts";
import { isVideo, type Source } from "../frames/source.ts";
import type { Look } from "./look-options.ts";

export interface DrawAllOptions {
  /** What is done, in a word, before the progress. */
  readonly doing: string;
  readonly json: boolean | undefined;
  /** Goes into the JSON beside the files. */
  readonly figures?: object;
  readonly signal: AbortSignal;
  /** What is drawn of each source. */
  readonly of: (source: Source) => Pick<DrawSourceOptions, "names" | "draw" | "journal">;
}

/** Draws all sources and prints the files; after a signal, those that are done. */
export async function drawAll(
  context: Context,
  { sources, backbone, size, folder, ffmpeg }: Look,
  { doing, json, figures = {}, signal, of }: DrawAllOptions,
): Promise<void> {
  const { screen } = context;
  const pictures: string[] = [];
  const videos: string[] = [];
  for (const [i, source] of sources.entries()) {
    const drawn = await drawSource(source, {
      ...of(source),
      size,
      patchSize: backbone.patchSize,
      folder,
      ffmpeg,
      signal,
      onFrame: (done) => screen.draw(`${doing}: ${progressOf(sources, i, done)}`),
    });
    pictures.push(...drawn.pictures);
    videos.push(...drawn.videos);
    if (signal.aborted) break;
  }
  if (json) screen.result(jsonLine({ pictures, videos, ...figures }));
  else for (const file of [...pictures, ...videos]) screen.result(file);
}

/** Runs a command that ends after the picture at hand when a signal comes. */
export function drawing(
  context: Context,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stopping = "stopping after this picture";
  const stopped = "stopped early: the same command goes on from here";
  return stoppable(context, { stopping, stopped }, work);
}

/** "3 of 10 pictures", or the frames of the `index`th source where it is a video. */
export function progressOf(sources: readonly Source[], index: number, done: number): string {
  const source = sources[index] as Source;
  if (!isVideo(source)) return `${count(index + done)} of ${count(sources.length)} pictures`;
  const all = source.count === undefined ? "" : ` of ${count(source.count)}`;
  return `${source.path}, frame ${count(done)}${all}`;
}
