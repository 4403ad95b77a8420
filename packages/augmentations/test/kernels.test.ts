/// <reference types="node" />

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { applyView, applyViews, cropBlocks, multiCrop } from "@dino/augmentations";
import { fold, key, random } from "@dino/random";
import fc from "fast-check";
import { expect, test } from "vitest";
import { blurPlainly, boxOf } from "../src/blur.ts";
import { blurByKernel } from "../src/blur-kernel.ts";
import { holding } from "../src/held-picture.ts";
import { kernels } from "../src/kernels.ts";
import { kernelsSource } from "../src/kernels-module.ts";
import { resizePlainly } from "../src/resize.ts";
import { resizeByKernel } from "../src/resize-kernel.ts";

/** A picture of random bytes, many of them black or white: sums then leave the range of a byte. */
function noise(width: number, height: number, seed: number) {
  const { integer } = random(key(seed));
  const data = Uint8Array.from({ length: 3 * width * height }, () => {
    const value = integer(-128, 383);
    return Math.min(Math.max(value, 0), 255);
  });
  return { width, height, data };
}

const length = fc.integer({ min: 1, max: 90 });
const filter = fc.constantFrom("bicubic" as const, "bilinear" as const, "lanczos" as const);
const seed = fc.nat(1000);

test("the compiled kernels are those of the source", () => {
  const source = readFileSync(new URL("../kernels/kernels.ts", import.meta.url));
  expect(createHash("sha256").update(source).digest("hex")).toBe(kernelsSource);
});

test("this machine has the vectors that the kernels need", () => {
  expect(kernels()).toBeDefined();
});

test("resizing by kernels gives the bytes of the plain loops", () => {
  fc.assert(
    fc.property(length, length, length, length, filter, seed, fc.boolean(), (...of) => {
      const [pictureWidth, pictureHeight, width, height, filter, seed, held] = of;
      const picture = noise(pictureWidth, pictureHeight, seed);
      const { integer } = random(fold(key(seed), 1));
      const [boxWidth, boxHeight] = [integer(1, pictureWidth), integer(1, pictureHeight)];
      const box = {
        top: integer(0, pictureHeight - boxHeight),
        left: integer(0, pictureWidth - boxWidth),
        height: boxHeight,
        width: boxWidth,
      };
      const options = { width, height, filter };
      const [actual, expected] = [1, 2].map(() => new Uint8Array(3 * width * height)) as Pair;
      const resize = () => resizeByKernel(picture, box, options, actual);
      expect(held ? holding(picture, resize) : resize()).toBe(true);
      resizePlainly(picture, box, options, expected);
      expect(Buffer.compare(actual, expected)).toBe(0);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("a picture far larger than its crop is resized to the same bytes too", () => {
  const picture = noise(1500, 40, 3);
  const box = { top: 1, left: 2, height: 39, width: 1497 };
  const options = { width: 5, height: 7, filter: "bicubic" } as const;
  const [actual, expected] = [1, 2].map(() => new Uint8Array(3 * 5 * 7)) as Pair;
  expect(resizeByKernel(picture, box, options, actual)).toBe(true);
  resizePlainly(picture, box, options, expected);
  expect(actual).toEqual(expected);
});

test("blurring by kernels gives the bytes of the plain loops", () => {
  const radius = fc.oneof(fc.double({ min: 0.01, max: 4, noNaN: true }), fc.constantFrom(40, 128));
  fc.assert(
    fc.property(length, length, radius, seed, (width, height, radius, seed) => {
      const { data: actual } = noise(width, height, seed);
      const expected = actual.slice();
      expect(blurByKernel(actual, { width, height }, boxOf(radius))).toBe(true);
      blurPlainly(expected, { width, height }, boxOf(radius));
      expect(Buffer.compare(actual, expected)).toBe(0);
    }),
    { numRuns: 300, seed: 2 },
  );
});

test("boxes whose sums are too large for the kernels are left to the plain loops", () => {
  const { data } = noise(10, 10, 0);
  const before = data.slice();
  expect(blurByKernel(data, { width: 10, height: 10 }, boxOf(1000))).toBe(false);
  expect(data).toEqual(before);
});

test("a picture that was changed since is not taken for the one before", () => {
  const picture = noise(30, 20, 5);
  const policy = multiCrop({ global: 8, locals: 0 });
  const views = policy.sample(picture, key(0));
  const crops = () => {
    const [block] = cropBlocks(policy.groups, 1) as [Uint8Array];
    applyViews(picture, views, { blocks: [block], index: 0, batch: 1 });
    expect([...block]).toEqual(views.flatMap((view) => [...applyView(picture, view).data]));
    return block;
  };
  const before = crops();
  picture.data.reverse();
  expect(crops()).not.toEqual(before);
});

type Pair = [Uint8Array, Uint8Array];
