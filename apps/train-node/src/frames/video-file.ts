import { statSync } from "node:fs";
import { extname } from "node:path";
import { RunError } from "../errors.ts";
import { type Ffmpeg, lastMessage, startFfmpeg } from "./ffmpeg.ts";
import { ppmStream } from "./ppm-stream.ts";
import type { Frame, Source } from "./source.ts";

const endings = new Set(
  "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv ts webm wmv"
    .split(" ")
    .map((end) => `.${end}`),
);

/** Whether a file's name is that of a video. */
export function isVideoFile(path: string): boolean {
  return endings.has(extname(path).toLowerCase());
}

export interface VideoFileOptions {
  readonly name: string;
  /** Frames to take a second; all of them when absent. */
  readonly rate?: number | undefined;
}

/** The frames of a video file, which ffmpeg reads: named `frame-0001` and so on, upright. */
export async function videoFile(
  ffmpeg: Ffmpeg,
  path: string,
  { name, rate }: VideoFileOptions,
): Promise<Source> {
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file) throw new RunError(`${path}: expected a video, got nothing`);
  const about = await describe(ffmpeg, path);
  const own = rate ?? about.rate;
  return {
    path,
    name,
    count: about.seconds && Math.max(1, Math.round(about.seconds * own)),
    rate: own,
    frames: () => frames(ffmpeg, { path, rate, changed: file.mtimeMs }),
  };
}

interface About {
  readonly rate: number;
  readonly seconds: number | undefined;
}

/** The rate that ffmpeg shows for a file, or the reference's 30 where it shows none. */
async function describe(ffmpeg: Ffmpeg, path: string): Promise<About> {
  const { messages, ended, child } = startFfmpeg(ffmpeg, ["-i", `file:${path}`]);
  child.stdin?.end();
  child.stdout?.resume();
  await ended;
  const text = messages();
  const stream = /Stream #.*Video:.*/.exec(text)?.[0];
  if (stream === undefined) {
    const reason = text.split("\n").findLast((line) => line.includes(path)) ?? lastMessage(text);
    throw new RunError(`${path}: expected a video, got none that ffmpeg reads (${reason.trim()})`);
  }
  const rate = Number(/([\d.]+) fps/.exec(stream)?.[1] ?? 30);
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d+):([\d.]+)/.exec(text) ?? [];
  const length =
    hours === undefined ? undefined : 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds);
  return { rate: rate > 0 ? rate : 30, seconds: length };
}

async function* frames(
  ffmpeg: Ffmpeg,
  { path, rate, changed }: { path: string; rate: number | undefined; changed: number },
): AsyncGenerator<Frame> {
  const filter = rate === undefined ? [] : ["-vf", `fps=${rate}`];
  const words = ["-loglevel", "error", "-i", `file:${path}`, "-map", "0:v:0", ...filter];
  const running = startFfmpeg(ffmpeg, [...words, "-f", "image2pipe", "-c:v", "ppm", "-"]);
  const { child, ended, messages } = running;
  child.stdin?.end();
  try {
    let number = 0;
    for await (const picture of ppmStream(child.stdout as AsyncIterable<Uint8Array>)) {
      number++;
      const name = `frame-${String(number).padStart(4, "0")}`;
      yield { name, path: `${path}, ${name}`, changed, read: async () => picture };
    }
    const code = await ended;
    if (code !== 0)
      throw new RunError(`${path}: ffmpeg cannot read it: ${lastMessage(messages())}`);
    if (number === 0) throw new RunError(`${path}: expected a video with frames, got none`);
  } finally {
    child.kill();
  }
}
