import { sampleCrop } from "@dino/augmentations";
import { key, random } from "@dino/random";
import fc from "fast-check";
import { expect, test } from "vitest";
import { augment } from "./augment-golden.ts";

const ratio = [3 / 4, 4 / 3] as const;

test.each(augment.random_resized_crop_statistics)(
  "is distributed as torchvision's for $w x $h pixels and shares of $scale",
  (golden) => {
    const { w, h, scale, draws } = golden;
    const stream = random(key(1));
    const boxes = Array.from({ length: draws }, () =>
      sampleCrop({ width: w, height: h }, { scale, ratio }, stream),
    );
    const area = moments(boxes.map((box) => (box.width * box.height) / (w * h)));
    const shape = moments(boxes.map((box) => Math.log(box.width / box.height)));
    const top = moments(boxes.map((box) => box.top));
    const left = moments(boxes.map((box) => box.left));

    // Both sides are estimates from as many draws: four standard errors of their difference.
    const error = (std: number) => 4 * std * Math.sqrt(2 / draws) + 1e-9;
    expect(Math.abs(area.mean - golden.area_mean)).toBeLessThan(error(area.std));
    expect(Math.abs(area.std - golden.area_std)).toBeLessThan(error(area.std));
    expect(Math.abs(shape.mean - golden.log_ratio_mean)).toBeLessThan(error(shape.std));
    expect(Math.abs(shape.std - golden.log_ratio_std)).toBeLessThan(error(shape.std));
    expect(Math.abs(top.mean - golden.top_mean)).toBeLessThan(error(top.std));
    expect(Math.abs(left.mean - golden.left_mean)).toBeLessThan(error(left.std));
  },
);

const share = fc.double({ min: 0.001, max: 1, noNaN: true });
const options = fc.record({
  width: fc.integer({ min: 1, max: 400 }),
  height: fc.integer({ min: 1, max: 400 }),
  seed: fc.nat(),
  scale: fc.tuple(share, share).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
});

test("always lies within the picture", () => {
  fc.assert(
    fc.property(options, ({ width, height, seed, scale }) => {
      const box = sampleCrop({ width, height }, { scale, ratio }, random(key(seed)));
      expect(Object.values(box).every(Number.isInteger)).toBe(true);
      expect(Math.min(box.top, box.left)).toBeGreaterThanOrEqual(0);
      expect(Math.min(box.width, box.height)).toBeGreaterThan(0);
      expect(box.left + box.width).toBeLessThanOrEqual(width);
      expect(box.top + box.height).toBeLessThanOrEqual(height);
    }),
  );
});

test("a picture too long for any draw gives its middle, at the nearest ratio allowed", () => {
  const all = { scale: [1, 1], ratio } as const;
  expect(sampleCrop({ width: 900, height: 100 }, all, random(key(0)))).toEqual({
    top: 0,
    left: 383,
    height: 100,
    width: 133,
  });
  expect(sampleCrop({ width: 90, height: 900 }, all, random(key(0)))).toEqual({
    top: 390,
    left: 0,
    height: 120,
    width: 90,
  });
});

test("ranges that are empty or reach too far are refused", () => {
  const picture = { width: 9, height: 9 };
  expect(() => sampleCrop(picture, { scale: [0.5, 1.5], ratio }, random(key(0)))).toThrow(
    new RangeError("scale: expected [least, most] with 0 < least <= most <= 1, got [0.5, 1.5]"),
  );
  expect(() => sampleCrop(picture, { scale: [0.5, 1], ratio: [2, 1] }, random(key(0)))).toThrow(
    new RangeError("ratio: expected [least, most] with 0 < least <= most, got [2, 1]"),
  );
});

function moments(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}
