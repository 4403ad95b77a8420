import type { Pixels } from "@dino/ops";
import type { Color } from "./color.ts";
import { assertPixels, blank } from "./pixels.ts";

export interface ContactSheetOptions {
  /** Pictures in a row; as many as make the sheet about square when absent. */
  readonly columns?: number;
  /** Pixels between pictures, and around them all. */
  readonly gap?: number;
  readonly background?: Color;
}

/** Pictures side by side, row by row, each in the middle of a cell as large as the largest. */
export function contactSheet(
  pictures: readonly Pixels[],
  {
    columns = Math.ceil(Math.sqrt(pictures.length)),
    gap = 4,
    background = [255, 255, 255],
  }: ContactSheetOptions = {},
): Pixels {
  if (pictures.length === 0) throw new RangeError("pictures: expected one or more, got none");
  if (!(Number.isInteger(columns) && columns > 0)) {
    throw new RangeError(`columns: expected an integer of 1 and more, got ${columns}`);
  }
  pictures.forEach((picture, i) => {
    assertPixels(`pictures[${i}]`, picture);
  });
  const cellWidth = Math.max(...pictures.map(({ width }) => width));
  const cellHeight = Math.max(...pictures.map(({ height }) => height));
  const across = Math.min(columns, pictures.length);
  const down = Math.ceil(pictures.length / columns);

  const width = gap + across * (cellWidth + gap);
  const sheet = blank(width, gap + down * (cellHeight + gap), background);
  pictures.forEach((picture, i) => {
    const cellLeft = gap + (i % columns) * (cellWidth + gap);
    const cellTop = gap + Math.floor(i / columns) * (cellHeight + gap);
    const left = cellLeft + ((cellWidth - picture.width) >> 1);
    const top = cellTop + ((cellHeight - picture.height) >> 1);
    for (let y = 0; y < picture.height; y++) {
      const row = picture.data.subarray(3 * picture.width * y, 3 * picture.width * (y + 1));
      sheet.data.set(row, 3 * (width * (top + y) + left));
    }
  });
  return sheet;
}
