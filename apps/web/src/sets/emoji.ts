import { crop } from "@dino/augmentations";
import type { Dataset } from "@dino/data";
import { decodePicture } from "@dino/data/browser";
import list from "../../generated/emoji.json";
import { heldSet } from "./held-set.ts";

/** Pictures to learn from, and others to test with. */
export interface PictureSet {
  readonly training: Dataset;
  readonly test: Dataset;
}

/** The emoji of the quick start, cut from their sheet. */
export async function emojiSet(sheetUrl: string): Promise<PictureSet> {
  const response = await fetch(sheetUrl);
  if (!response.ok) throw new Error(`${sheetUrl}: expected the emoji, got ${response.status}`);
  const sheet = await decodePicture(await response.blob(), "emoji");
  const { tile, columns, training, classes } = list;
  const pictures = list.labels.map((label, i) => ({
    name: list.names[i] ?? "",
    label,
    picture: crop(sheet, {
      top: Math.floor(i / columns) * tile,
      left: (i % columns) * tile,
      height: tile,
      width: tile,
    }),
  }));
  return {
    training: heldSet(pictures.slice(0, training), classes),
    test: heldSet(pictures.slice(training), classes),
  };
}
