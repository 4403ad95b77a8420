import { join } from "node:path";
import type { Pixels } from "@dino/ops";
import type { ImageSize } from "../model/image-size.ts";
import type { LookJournal } from "../model/look-journal.ts";
import { type NamedPictures, pictureFile, writePictures } from "../model/write-pictures.ts";
import { writeAnimation } from "./animation.ts";
import type { Ffmpeg } from "./ffmpeg.ts";
import { readFitted } from "./read-fitted.ts";
import type { Frame, Source } from "./source.ts";

export interface DrawSourceOptions {
  /** The names of the pictures that `draw` returns, in its order. */
  readonly names: readonly string[];
  readonly draw: (picture: Pixels, frame: Frame) => Promise<NamedPictures>;
  readonly size: ImageSize;
  readonly patchSize: number;
  readonly folder: string;
  /** Knows what need not be drawn again; all is drawn when absent. */
  readonly journal?: LookJournal | undefined;
  /** Writes the videos; without it they are GIFs. */
  readonly ffmpeg: Ffmpeg | undefined;
  /** Stops after the frame at hand. */
  readonly signal: AbortSignal;
  readonly onFrame: (done: number) => void;
}

/** The files that were drawn, or had been before. */
export interface Drawn {
  readonly pictures: readonly string[];
  /** None where it was stopped before the last frame. */
  readonly videos: readonly string[];
}

/**
 * Draws the pictures of each frame, and of a video a moving picture of each kind beside them. A
 * picture is a source of one frame.
 */
export async function drawSource(source: Source, options: DrawSourceOptions): Promise<Drawn> {
  const { names, draw, size, patchSize, folder, journal, ffmpeg, signal, onFrame } = options;
  const { rate } = source;
  const place = rate === undefined ? folder : join(folder, source.name);
  const frames: (readonly string[])[] = [];
  for await (const frame of source.frames()) {
    const name = rate === undefined ? source.name : frame.name;
    const files = names.map((what) => pictureFile(place, name, what));
    if (!journal?.has(files, frame.changed)) {
      const picture = await readFitted(frame, size, patchSize);
      await writePictures(place, name, await draw(picture, frame));
    }
    frames.push(files);
    onFrame(frames.length);
    if (signal.aborted) return { pictures: frames.flat(), videos: [] };
  }

  const videos: string[] = [];
  for (const [i, what] of names.entries()) {
    if (rate === undefined) break;
    const files = frames.map((files) => files[i] as string);
    const path = join(folder, `${source.name}-${what}`);
    videos.push(await writeAnimation(files, path, { rate, ffmpeg, signal }));
  }
  return { pictures: frames.flat(), videos };
}
