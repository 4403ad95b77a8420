import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { imageTensor, type Pixels } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import sharp, { type Sharp } from "sharp";
import { afterAll } from "vitest";
import type { Dataset } from "../src/dataset.ts";

/** A new folder, gone when the file's tests are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dino-data-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Pixels that tell one picture and one place from another. */
export function drawn(width: number, height: number, seed = 0): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [column, row] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return (7 * column + 11 * row + 40 * (i % 3) + 29 * seed) % 256;
  });
  return { width, height, data };
}

/** sharp's own form of a picture. */
export function sharpOf({ width, height, data }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** Writes files below a folder: their bytes, or a picture in the format of their names' endings. */
export async function write(
  folder: string,
  files: Readonly<Record<string, Uint8Array | Sharp>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (content instanceof Uint8Array) writeFileSync(path, content);
    else await content.toFile(path);
  }
}

/** A data set of `length` small drawn pictures; reading one of `broken` fails. */
export function drawnDataset(length: number, broken: readonly number[] = []): Dataset {
  return {
    path: "drawn",
    length,
    classes: ["even", "odd"],
    label: (index) => index % 2,
    name: (index) => `${index}.png`,
    read: async (index) => {
      if (broken.includes(index)) throw new Error("not a picture");
      return drawn(20 + (index % 5), 24 - (index % 3), index);
    },
  };
}

/** Values of crops, and the crops gone. */
export function valuesOf(crops: readonly tf.Tensor[]): Float32Array[] {
  return crops.map((tensor) => {
    const values = tensor.dataSync<"float32">().slice();
    tensor.dispose();
    return values;
  });
}

/** Everything that `items` gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The normalised values of one picture. */
export function normalised({ width, height, data }: Pixels): Float32Array {
  const [values] = valuesOf([imageTensor(data, [1, height, width])]);
  return values as Float32Array;
}
