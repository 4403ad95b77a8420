import type { Pixels } from "@dino/ops";
import { DataError } from "../errors.ts";

/**
 * The pixels of a picture file, upright, as 8-bit RGB, decoded by the browser: the first frame of
 * an animation, no colour profile applied, what is transparent laid on white. Upright is what a
 * camera has noted in a JPEG or PNG; in a WebP, Chromium does not look for it. Works in pages and
 * in workers. A `DataError` about `name` where the browser cannot read it.
 */
export async function decodePicture(file: Blob, name = "picture"): Promise<Pixels> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
    });
  } catch (cause) {
    throw new DataError(name, whyNot(file, name), { cause });
  }
  try {
    return pixelsOf(bitmap);
  } finally {
    bitmap.close();
  }
}

/** Why a file could not be read. Browsers draw an SVG in pages, but give no worker its pixels. */
function whyNot(file: Blob, name: string): string {
  if (file.size === 0) return "the file is empty";
  const { name: own = name } = file as Partial<File>;
  const isSvg = file.type === "image/svg+xml" || /\.svgz?$/i.test(own);
  return isSvg
    ? "is an SVG, which this browser does not turn into pixels here; save it as a PNG"
    : "is no picture that this browser reads";
}

/** The pixels of a decoded picture or of a frame of a video, what is transparent laid on white. */
export function pixelsOf(image: ImageBitmap): Pixels {
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) {
    throw new DataError("picture", `expected a canvas of ${width} x ${height} pixels, got none`);
  }
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data[3 * pixel] = rgba[4 * pixel] as number;
    data[3 * pixel + 1] = rgba[4 * pixel + 1] as number;
    data[3 * pixel + 2] = rgba[4 * pixel + 2] as number;
  }
  return { width, height, data };
}
