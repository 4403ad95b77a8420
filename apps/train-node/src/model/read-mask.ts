import { readFileSync } from "node:fs";
import { decodeLabelPng, type Labels } from "@dino/visualization";
import sharp from "sharp";
import { RunError } from "../errors.ts";

/** What a segmentation file says of each pixel, and which number stands for "cannot tell". */
export interface ReadMask extends Labels {
  /** -1 where every number is an object or none. */
  readonly ignore: number;
}

/**
 * A segmentation as people keep them: a PNG with a palette (VOC's, DAVIS's: 255 is void), of greys
 * with numbers of classes (255 is void where there are others), or black and white in whatever form
 * (what is not black is the object).
 */
export async function readMask(path: string, ignore?: number): Promise<ReadMask> {
  const labels = await readLabels(path);
  if (ignore !== undefined) return { ...labels, ignore };
  const isBlackAndWhite = labels.data.every((label) => label === 0 || label === 255);
  return { ...labels, ignore: isBlackAndWhite ? -1 : 255 };
}

async function readLabels(path: string): Promise<Labels> {
  try {
    const { channels, palette } = await header(path);
    if (palette || channels === 1) return decodeLabelPng(readFileSync(path), path);
    const { data, info } = await sharp(path).flatten().greyscale().raw().toBuffer({
      resolveWithObject: true,
    });
    const inside = Uint8Array.from(data, (value) => (value === 0 ? 0 : 255));
    return { width: info.width, height: info.height, data: inside };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RunError(`${path}: expected a mask, got a file that is none (${reason})`, { cause });
  }
}

async function header(path: string) {
  const { channels, isPalette } = await sharp(path).metadata();
  return { channels, palette: isPalette === true };
}
