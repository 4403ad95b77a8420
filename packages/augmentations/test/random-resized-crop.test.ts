import { applyView, crop, flip, randomResizedCrop, resize } from "@dino/augmentations";
import { fold, key } from "@dino/random";
import { expect, test } from "vitest";
import { drawn } from "./drawn.ts";

test("is a part of the picture, resized, and its mirror image half the time", () => {
  const picture = drawn(60, 45);
  const { groups, sample } = randomResizedCrop({ size: 20 });
  expect(groups).toEqual([{ size: 20, views: 1 }]);
  let mirrored = 0;
  for (let i = 0; i < 400; i++) {
    const views = sample(picture, fold(key(3), i));
    expect(views).toHaveLength(1);
    const [view] = views;
    if (!view) continue;
    const { width, height } = view.crop;
    expect((width * height) / (60 * 45)).toBeGreaterThan(0.07);
    expect(width / height).toBeGreaterThan(0.7);
    expect(width / height).toBeLessThan(1.45);
    if (view.flip) mirrored++;
    if (i > 20) continue;
    const part = resize(crop(picture, view.crop), { width: 20, height: 20, filter: "bilinear" });
    expect(applyView(picture, view)).toEqual(view.flip ? flip(part) : part);
  }
  expect(Math.abs(mirrored - 200)).toBeLessThan(40); // four standard deviations
});

test("takes the filter, the scale and the mirror images that are asked for", () => {
  const picture = drawn(30, 30);
  const whole = randomResizedCrop({
    ...{ size: 12, scale: [1, 1], ratio: [1, 1], filter: "bicubic", flip: 0 },
  });
  const [view] = whole.sample(picture, key(1));
  expect(view && applyView(picture, view)).toEqual(resize(picture, { width: 12, height: 12 }));
  expect(() => randomResizedCrop({ scale: [1, 0] })).toThrow("scale: expected [least, most]");
});
