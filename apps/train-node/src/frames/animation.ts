import { createReadStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import sharp from "sharp";
import { RunError } from "../errors.ts";
import { type Ffmpeg, lastMessage, startFfmpeg } from "./ffmpeg.ts";

/** The forms of a moving picture. */
export const animationFormats = ["gif", "mp4"] as const;
export type AnimationFormat = (typeof animationFormats)[number];

export interface AnimationOptions {
  /** Frames a second. */
  readonly rate: number;
  /** Writes MP4; without it a GIF is written. */
  readonly ffmpeg: Ffmpeg | undefined;
  readonly signal: AbortSignal;
}

/**
 * Picture files of one size, one after the other, as a moving picture `path.mp4` or `path.gif`,
 * which is there whole or not at all. Returns its path.
 */
export async function writeAnimation(
  files: readonly string[],
  path: string,
  { rate, ffmpeg, signal }: AnimationOptions,
): Promise<string> {
  await assertSameSize(files);
  const file = `${path}.${ffmpeg ? "mp4" : "gif"}`;
  const part = `${file}.part`;
  try {
    if (ffmpeg) await writeMp4(ffmpeg, files, part, { rate, signal });
    else await writeGif(files, part, rate);
    signal.throwIfAborted();
    await rename(part, file);
    return file;
  } finally {
    await rm(part, { force: true });
  }
}

/** A GIF cannot be faster: browsers show shorter delays as ten times longer ones. */
const fastestGif = 50;

/**
 * sharp reads the files one by one while it writes. Delays are whole hundredths of a second:
 * each is rounded so that the sum stays right.
 */
async function writeGif(files: readonly string[], part: string, rate: number): Promise<void> {
  const every = Math.ceil(rate / fastestGif);
  const shown = files.filter((_, i) => i % every === 0);
  const time = (frame: number) => 10 * Math.round((100 * frame * every) / rate);
  const delay = shown.map((_, i) => time(i + 1) - time(i));
  const pictures =
    shown.length > 1 ? sharp([...shown], { join: { animated: true } }) : sharp(shown[0]);
  await pictures.gif({ delay, loop: 0, effort: 1, dither: 0 }).toFile(part);
}

/** The pictures go to ffmpeg as they are, without names: those may be any. */
async function writeMp4(
  ffmpeg: Ffmpeg,
  files: readonly string[],
  part: string,
  { rate, signal }: { readonly rate: number; readonly signal: AbortSignal },
): Promise<void> {
  const input = ["-f", "image2pipe", "-framerate", String(rate), "-c:v", "png", "-i", "-"];
  // Players want halved colours, and these want even sides.
  const even = "pad=ceil(iw/2)*2:ceil(ih/2)*2";
  const output = ["-vf", even, "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4"];
  const words = ["-loglevel", "error", "-y", ...input, ...output, `file:${part}`];
  const { child, ended, messages } = startFfmpeg(ffmpeg, words);
  child.stdout?.resume();
  try {
    // Where it has stopped reading, its exit code tells; a signal's reason is thrown on.
    await pipeline(contentOf(files), child.stdin as Writable, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    const code = await ended;
    if (code === 0) return;
    throw new RunError(`${part}: ffmpeg cannot write it: ${lastMessage(messages())}`);
  } finally {
    child.kill();
  }
}

/** The bytes of all files, one after the other. */
async function* contentOf(files: readonly string[]): AsyncGenerator<Buffer> {
  for (const file of files) yield* createReadStream(file) as AsyncIterable<Buffer>;
}

async function assertSameSize(files: readonly string[]): Promise<void> {
  let first = "";
  for (const file of files) {
    const { width, height } = await sharp(file).metadata();
    const size = `${width} x ${height}`;
    first ||= size;
    if (size !== first) {
      throw new RunError(`${file}: expected ${first} as the video's first frame, got ${size}`);
    }
  }
}
