import type { Dataset } from "@dino/data";
import type { Pixels } from "@dino/ops";

/** Pixels that tell one picture and one place from another, the same in a page and in Node. */
export function drawn(width: number, height: number, seed = 0): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [column, row] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return (5 * column + 13 * row + 40 * (i % 3) + 29 * seed) % 256;
  });
  return { width, height, data };
}

/** Eleven drawn pictures of several sizes, as a data set. */
export const drawnSet: Dataset = {
  path: "drawn",
  length: 11,
  classes: ["even", "odd"],
  label: (index) => index % 2,
  name: (index) => `${index}.png`,
  read: async (index) => drawn(20 + (index % 5), 24 - (index % 3), index),
};
