import type { Pixels } from "@dino/ops";

/** A picture on a canvas of its own size. */
export function canvasOf({ width, height, data }: Pixels): OffscreenCanvas {
  const rgba = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    rgba.data[4 * i] = data[3 * i] as number;
    rgba.data[4 * i + 1] = data[3 * i + 1] as number;
    rgba.data[4 * i + 2] = data[3 * i + 2] as number;
    rgba.data[4 * i + 3] = 255;
  }
  return painted(rgba);
}

/** One colour with its opacity, 0 to 255, for each patch. */
export function patchCanvas(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  colorAt: (patch: number) => readonly [number, number, number, number],
): OffscreenCanvas {
  const rgba = new ImageData(columns, rows);
  for (let patch = 0; patch < rows * columns; patch++) rgba.data.set(colorAt(patch), 4 * patch);
  return painted(rgba);
}

function painted(rgba: ImageData): OffscreenCanvas {
  const canvas = new OffscreenCanvas(rgba.width, rgba.height);
  canvas.getContext("2d")?.putImageData(rgba, 0, 0);
  return canvas;
}
