/** Of a picture, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The size that a frame is brought to: its shorter side becomes `shortSide`, the longer one as much
 * as keeps the proportions, down to a multiple of 64.
 */
export function frameSize({ width, height }: Size, shortSide: number): Size {
  if (height > width) return { width: shortSide, height: wholes((shortSide * height) / width) };
  return { width: wholes((shortSide * width) / height), height: shortSide };
}

const wholes = (length: number): number => Math.floor(length / 64) * 64;
