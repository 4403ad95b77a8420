import { crop, thumbnail } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import type { PictureView } from "../features/file-features.ts";
import type { QueryBox } from "./retrieval-set.ts";

/** A picture brought down to `side`, as it is searched. */
export function rowView(side: number): PictureView {
  return { name: { thumbnail: side }, apply: (picture) => thumbnail(picture, side) };
}

/** What is in a query's box alone, brought down to `side`. */
export function boxView(side: number, boxes: readonly QueryBox[]): PictureView {
  return {
    name: { thumbnail: side, boxes: boxes.map((box) => ({ ...box })) },
    apply: (picture, index) => thumbnail(cropped(picture, boxes[index] as QueryBox), side),
  };
}

function cropped(picture: Pixels, box: QueryBox): Pixels {
  const within = (value: number, most: number) => Math.min(Math.max(Math.round(value), 0), most);
  const left = within(box.left, picture.width - 1);
  const top = within(box.top, picture.height - 1);
  const right = Math.max(within(box.right, picture.width), left + 1);
  const bottom = Math.max(within(box.bottom, picture.height), top + 1);
  return crop(picture, { left, top, width: right - left, height: bottom - top });
}
