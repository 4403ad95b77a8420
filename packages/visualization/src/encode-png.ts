import type { Pixels } from "@dino/ops";
import { encode } from "fast-png";
import { assertPixels } from "./pixels.ts";

/** The bytes of a PNG file: RGB, 8 bits a channel, without loss. */
export async function encodePng(picture: Pixels): Promise<Uint8Array> {
  assertPixels("picture", picture);
  const { width, height, data } = picture;
  return encode({ width, height, data, channels: 3, depth: 8 });
}
