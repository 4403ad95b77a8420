import {
  brightness,
  centerCrop,
  contrast,
  crop,
  evaluationView,
  flip,
  gaussianBlur,
  greyscale,
  hue,
  resize,
  resizeShortSide,
  saturation,
  solarize,
} from "@dino/augmentations";
import type { Pixels } from "@dino/ops";
import fc from "fast-check";
import { expect, test } from "vitest";
import { drawn } from "./drawn.ts";

const length = fc.integer({ min: 1, max: 24 });
const byte = fc.integer({ min: 0, max: 255 });
const filter = fc.constantFrom("bicubic", "bilinear", "lanczos" as const);
const pictures = fc
  .tuple(length, length)
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: 3 * width * height, maxLength: 3 * width * height })
      .map((data): Pixels => ({ width, height, data })),
  );

test("a picture of one colour keeps it at any size and under any blur", () => {
  fc.assert(
    fc.property(
      length,
      length,
      length,
      length,
      byte,
      filter,
      (w, h, width, height, value, filter) => {
        const flat: Pixels = { width: w, height: h, data: new Uint8Array(3 * w * h).fill(value) };
        const resized = resize(flat, { width, height, filter });
        expect(resized.data).toEqual(new Uint8Array(3 * width * height).fill(value));
        expect(gaussianBlur(flat, 1.7).data).toEqual(flat.data);
      },
    ),
  );
});

test("a picture resized to its own size is itself, in memory of its own", () => {
  fc.assert(
    fc.property(pictures, filter, (picture, filter) => {
      const { width, height } = picture;
      const same = resize(picture, { width, height, filter });
      expect(same).toEqual(picture);
      expect(same.data.buffer).not.toBe(picture.data.buffer);
    }),
  );
});

test("resizing the mirror image is mirroring the resized one, within a rounding", () => {
  fc.assert(
    fc.property(pictures, length, length, (picture, width, height) => {
      const one = resize(flip(picture), { width, height }).data;
      const other = flip(resize(picture, { width, height })).data;
      expect(one.every((value, i) => Math.abs(value - (other[i] as number)) <= 2)).toBe(true);
    }),
  );
});

test("neutral changes change nothing, and mirroring twice neither", () => {
  fc.assert(
    fc.property(pictures, (picture) => {
      expect(brightness(picture, 1)).toEqual(picture);
      expect(contrast(picture, 1)).toEqual(picture);
      expect(saturation(picture, 1)).toEqual(picture);
      expect(gaussianBlur(picture, 0)).toEqual(picture);
      expect(solarize(picture, 256)).toEqual(picture);
      expect(solarize(solarize(picture, 0), 0)).toEqual(picture);
      expect(flip(flip(picture))).toEqual(picture);
    }),
  );
});

test("factors of 0 leave black, one grey, and greys", () => {
  fc.assert(
    fc.property(pictures, (picture) => {
      expect(new Set(brightness(picture, 0).data)).toEqual(new Set([0]));
      expect(new Set(contrast(picture, 0).data).size).toBe(1);
      expect(saturation(picture, 0)).toEqual(greyscale(picture));
    }),
  );
});

test("a hue turned by a third moves red to green, green to blue and blue to red", () => {
  const colours = { width: 3, height: 1, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255) };
  expect([...hue(colours, 1 / 3).data]).toEqual([0, 255, 0, 0, 0, 255, 255, 0, 0]);
});

test("greys have no hue to turn", () => {
  fc.assert(
    fc.property(pictures, fc.double({ min: -0.5, max: 0.5, noNaN: true }), (picture, amount) => {
      expect(hue(greyscale(picture), amount)).toEqual(greyscale(picture));
    }),
  );
});

test("a blur wider than the picture leaves nearly its mean", () => {
  const picture = drawn(9, 7);
  const blurred = gaussianBlur(picture, 60).data.filter((_, i) => i % 3 === 0);
  expect(Math.max(...blurred) - Math.min(...blurred)).toBeLessThan(60);
});

test("a crop is its part of the picture", () => {
  const picture = drawn(7, 5);
  const part = crop(picture, { top: 1, left: 2, height: 3, width: 4 });
  for (let y = 0; y < 3; y++) {
    expect([...part.data.subarray(12 * y, 12 * y + 12)]).toEqual([
      ...picture.data.subarray(3 * (7 * (y + 1) + 2), 3 * (7 * (y + 1) + 6)),
    ]);
  }
});

test("the centre crop rounds halves to even, as torchvision does", () => {
  const rows = (height: number, size: number) => {
    const picture = { width: 2, height, data: new Uint8Array(6 * height) };
    for (let y = 0; y < height; y++) picture.data.fill(y, 6 * y, 6 * y + 6);
    return centerCrop(picture, size).data[0];
  };
  expect(rows(3, 2)).toBe(0); // 0.5
  expect(rows(5, 2)).toBe(2); // 1.5
  expect(rows(7, 2)).toBe(2); // 2.5
});

test("the shorter side is resized as asked, the longer one cut down to whole pixels", () => {
  expect(resizeShortSide(drawn(10, 7), 5)).toMatchObject({ width: 7, height: 5 });
  expect(resizeShortSide(drawn(7, 10), 5)).toMatchObject({ width: 5, height: 7 });
  expect(evaluationView(drawn(30, 50), 28)).toMatchObject({ width: 28, height: 28 });
});

test.each<[() => unknown, string]>([
  [
    () => flip({ width: 2, height: 2, data: new Uint8Array(11) }),
    "data: expected 12 bytes for 2 x 2 pixels, got 11",
  ],
  [
    () => greyscale({ width: 0, height: 2, data: new Uint8Array(0) }),
    "width: expected an integer of 1 or more, got 0",
  ],
  [
    () => resize(drawn(2, 2), { width: 1.5, height: 2 }),
    "width: expected an integer of 1 or more, got 1.5",
  ],
  [
    () => resize(drawn(2, 2), { width: 2, height: 2, filter: "nearest" as "bicubic" }),
    "filter: expected one of bilinear, bicubic, lanczos, got nearest",
  ],
  [() => brightness(drawn(2, 2), -1), "factor: expected a number of 0 or more, got -1"],
  [() => hue(drawn(2, 2), 0.6), "amount: expected a number in [-0.5, 0.5], got 0.6"],
  [() => gaussianBlur(drawn(2, 2), -1), "radius: expected a number in [0, 1000], got -1"],
  [() => solarize(drawn(2, 2), 300), "threshold: expected a number in [0, 256], got 300"],
  [
    () => centerCrop(drawn(5, 3), 4),
    "size: expected at most the shorter side of 5 x 3 pixels, got 4",
  ],
])("refuses what cannot be done: %s", (act, message) => {
  expect(act).toThrow(new RangeError(message));
});
