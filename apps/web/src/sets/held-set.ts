import type { Dataset } from "@dino/data";
import type { Pixels } from "@dino/ops";

/** A picture in memory, with its class where it has one. */
export interface HeldPicture {
  readonly name: string;
  readonly picture: Pixels;
  /** The class, or -1. */
  readonly label: number;
}

/** Pictures in memory as a data set. */
export function heldSet(pictures: readonly HeldPicture[], classes: readonly string[]): Dataset {
  const at = (index: number): HeldPicture => {
    const held = pictures[index];
    if (held) return held;
    throw new RangeError(`index: expected 0 to ${pictures.length - 1}, got ${index}`);
  };
  return {
    length: pictures.length,
    classes,
    label: (index) => at(index).label,
    name: (index) => at(index).name,
    read: async (index) => at(index).picture,
  };
}

/** All pictures of a data set that has them in memory. */
export function picturesOf(dataset: Dataset): Promise<HeldPicture[]> {
  return Promise.all(
    Array.from({ length: dataset.length }, async (_, index) => ({
      name: dataset.name(index),
      picture: await dataset.read(index),
      label: dataset.label(index),
    })),
  );
}
