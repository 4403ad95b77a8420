/// <reference types="node" />

import { readFileSync } from "node:fs";
import { sampleBilinear, thumbnail } from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import { decode, type GoldenArray } from "@dino/testing";
import { expect, test } from "vitest";

interface Figures {
  readonly thumbnail: readonly {
    readonly size: readonly [number, number];
    readonly side: number;
    readonly out: GoldenArray;
  }[];
  readonly sample: readonly {
    readonly size: readonly [number, number];
    readonly out: GoldenArray;
  }[];
}

/** What `reference/figures.py` makes. */
const figures: Figures = JSON.parse(
  readFileSync(new URL("./reference/figures.json", import.meta.url), "utf8"),
);

/** Byte i is that of i * i * 2654435761 + i * 40503, from bit 16 on. */
function noise([width, height]: readonly [number, number]): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, at) => {
    const i = BigInt(at);
    return Number(((i * i * 2654435761n + i * 40503n) >> 16n) & 255n);
  });
  return { width, height, data };
}

const pixelsOf = (array: GoldenArray): Pixels => {
  const [height = 0, width = 0] = array.shape;
  return { width, height, data: decode(array) as Uint8Array };
};

test.each(figures.thumbnail)("makes Pillow's thumbnail of $size at $side", (figure) => {
  expect(thumbnail(noise(figure.size), figure.side)).toEqual(pixelsOf(figure.out));
});

test.each(figures.sample)("samples $size as OpenCV resizes it to $out.shape", ({ size, out }) => {
  const expected = pixelsOf(out);
  expect(sampleBilinear(noise(size), expected)).toEqual(expected);
});

test("leaves a picture alone that is no larger than its thumbnail", () => {
  const picture = noise([8, 5]);
  expect(thumbnail(picture, 8)).toBe(picture);
});

test("names the size that is none", () => {
  const picture = noise([8, 5]);
  expect(() => thumbnail(picture, 0)).toThrow("side: expected an integer of 1 or more, got 0");
  expect(() => sampleBilinear(picture, { width: 2, height: 0.5 })).toThrow(
    "height: expected an integer of 1 or more, got 0.5",
  );
});
