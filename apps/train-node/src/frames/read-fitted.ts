import type { Pixels } from "@dino/ops";
import { RunError } from "../errors.ts";
import { fitPicture, type ImageSize } from "../model/image-size.ts";
import type { Frame } from "./source.ts";

/** A frame at the size at which a model sees it. A `RunError` where that has not one patch. */
export async function readFitted(
  frame: Frame,
  size: ImageSize,
  patchSize: number,
): Promise<Pixels> {
  const picture = await frame.read();
  try {
    return fitPicture(picture, size, patchSize);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RunError(`${frame.path}: ${error.message}`, { cause: error });
  }
}
