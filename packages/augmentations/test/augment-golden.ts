/// <reference types="node" />

import { resolve } from "node:path";
import type { Pixels } from "@dino/ops";
import { type Digest, type GoldenArray, golden, goldensFolder } from "@dino/testing";
import sharp from "sharp";

/** One operation on a picture, and what Pillow and torchvision make of it. */
export interface GoldenOperation {
  readonly op: string;
  /** Top, left, height, width. */
  readonly box?: readonly [number, number, number, number];
  readonly size?: number;
  readonly factor?: number;
  readonly radius?: number;
  readonly threshold?: number;
  readonly resize?: number;
  readonly crop?: number;
  readonly out: GoldenArray | Digest;
}

export interface AugmentGolden {
  readonly images: readonly {
    readonly image: string;
    readonly size_wh: readonly [number, number];
    readonly ops: readonly GoldenOperation[];
  }[];
  readonly random_resized_crop_statistics: readonly {
    readonly w: number;
    readonly h: number;
    readonly scale: readonly [number, number];
    readonly draws: number;
    readonly area_mean: number;
    readonly area_std: number;
    readonly log_ratio_mean: number;
    readonly log_ratio_std: number;
    readonly top_mean: number;
    readonly left_mean: number;
  }[];
}

export const augment: AugmentGolden = golden<AugmentGolden>("augment");

/** A picture that lies beside the goldens. */
export async function goldenPicture(path: string): Promise<Pixels> {
  const { data, info } = await sharp(resolve(goldensFolder(), path))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}
