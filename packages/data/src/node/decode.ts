import { access, constants, stat } from "node:fs/promises";
import type { Pixels } from "@dino/ops";
import sharp, { type Sharp, type SharpOptions } from "sharp";
import { DataError } from "../errors.ts";

// Every picture is read once, so sharp's cache would only hold memory; and as many pictures as
// there are threads are decoded side by side, each on one of them.
sharp.cache(false);
sharp.concurrency(1);

/**
 * What Pillow does, and with it the reference: colour profiles are not applied, and a damaged file
 * is refused, but not for every oddity that a decoder mentions.
 */
const options: SharpOptions = { failOn: "error", ignoreIcc: true };

/** What has to be known of a file before its pixels are read. */
export interface Header {
  readonly cmyk: boolean;
}

/** Reads the beginning of a file. Rejects with a `DataError` about `name` when it is no picture. */
export async function readHeader(path: string, name: string): Promise<Header> {
  try {
    const { space } = await sharp(path, options).metadata();
    return { cmyk: space === "cmyk" };
  } catch (error) {
    throw await unreadable(path, name, error);
  }
}

/**
 * The pixels of a file, upright, as 8-bit RGB. The first frame of an animation, the first page of a
 * TIFF. What is transparent is laid on white: the colours below are arbitrary, often black, and a
 * black drawing on nothing would be gone. Rejects with a `DataError` about `name`.
 *
 * Without `header` the file is opened twice.
 */
export async function decode(path: string, name: string, header?: Header): Promise<Pixels> {
  const { cmyk } = header ?? (await readHeader(path, name));
  try {
    const upright = sharp(path, options).autoOrient();
    return await (cmyk ? fromCmyk(upright) : fromColour(upright));
  } catch (error) {
    throw await unreadable(path, name, error);
  }
}

async function fromColour(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels === 3) return { width, height, data: bytesOf(data) };
  const rgb = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb.fill(data[pixel * channels] as number, 3 * pixel, 3 * pixel + 3); // the same grey thrice
  }
  return { width, height, data: rgb };
}

/** Pillow's plain conversion, without the profile that sharp would apply. */
async function fromCmyk(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture
    .pipelineColourspace("cmyk")
    .toColourspace("cmyk")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const rgb = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const light = 255 - (data[pixel * channels + 3] as number);
    for (let channel = 0; channel < 3; channel++) {
      const product = (data[pixel * channels + channel] as number) * light + 128;
      rgb[3 * pixel + channel] = light - ((product + (product >> 8)) >> 8); // light * (1 - ink)
    }
  }
  return { width, height, data: rgb };
}

const bytesOf = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** The error about a file that sharp has refused; the file system often knows better why. */
async function unreadable(path: string, name: string, cause: unknown): Promise<DataError> {
  return new DataError(name, await reasonOf(path, cause), { cause });
}

async function reasonOf(path: string, cause: unknown): Promise<string> {
  try {
    const file = await stat(path);
    if (file.isDirectory()) return "is a folder, not a picture";
    if (file.size === 0) return "the file is empty";
    await access(path, constants.R_OK);
  } catch (error) {
    return fileSystemReason(error);
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  const line = message.split("\n").find((text) => !text.includes("bad seek to")) ?? message;
  return line.replace("Input file has corrupt header: ", "").replace(`: ${path}`, "");
}

/** What a file system error says, in words. */
export function fileSystemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return "does not exist";
    case "ENOTDIR":
      return "is not a folder";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    default:
      return message;
  }
}
