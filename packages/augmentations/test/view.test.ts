import {
  applyView,
  applyViews,
  brightness,
  contrast,
  crop,
  cropBlocks,
  flip,
  gaussianBlur,
  greyscale,
  hue,
  multiCrop,
  resize,
  saturation,
  solarize,
  type View,
  writeView,
} from "@dino/augmentations";
import { fold, key } from "@dino/random";
import { expect, test } from "vitest";
import { drawn } from "./drawn.ts";

const picture = drawn(60, 45);

test("a view is its operations, one after the other", () => {
  const view: View = {
    size: 20,
    crop: { top: 3, left: 7, height: 30, width: 41 },
    flip: true,
    jitter: {
      order: ["hue", "contrast", "saturation", "brightness"],
      brightness: 1.2,
      contrast: 0.8,
      saturation: 1.1,
      hue: -0.07,
    },
    grey: true,
    blur: 1.3,
    solarize: true,
  };
  const small = flip(resize(crop(picture, view.crop), { width: 20, height: 20 }));
  const coloured = brightness(saturation(contrast(hue(small, -0.07), 0.8), 1.1), 1.2);
  expect(applyView(picture, view)).toEqual(solarize(gaussianBlur(greyscale(coloured), 1.3)));
});

test("applying a view leaves the picture as it was", () => {
  const before = picture.data.slice();
  for (const view of multiCrop({ global: 32, local: 16 }).sample(picture, key(1))) {
    applyView(picture, view);
  }
  expect(picture.data).toEqual(before);
});

test("a batch's blocks are crop-major, whichever order its pictures come in", () => {
  const policy = multiCrop({ global: 12, local: 8, locals: 3 });
  const pictures = [drawn(30, 20), drawn(16, 40), drawn(25, 25)];
  const views = pictures.map((of, i) => policy.sample(of, fold(key(2), i)));
  const blocks = cropBlocks(policy.groups, pictures.length);
  expect(blocks.map(({ length }) => length)).toEqual([3 * 2 * 3 * 144, 3 * 3 * 3 * 64]);

  for (const index of [2, 0, 1]) {
    const place = { blocks, index, batch: pictures.length };
    applyViews(pictures[index] as typeof picture, views[index] as readonly View[], place);
  }
  const expected = [
    [0, 1],
    [2, 3, 4],
  ].map((group) =>
    group.flatMap((c) =>
      pictures.flatMap((of, i) => [...applyView(of, views[i]?.[c] as View).data]),
    ),
  );
  expect(blocks.map((block) => [...block])).toEqual(expected);
});

test("a crop may be written to memory that workers share", () => {
  const [view] = multiCrop({ global: 10 }).sample(picture, key(4)) as [View];
  const shared = new Uint8Array(new SharedArrayBuffer(1000), 100, 300);
  writeView(picture, view, shared);
  expect([...shared]).toEqual([...applyView(picture, view).data]);
});

const [view] = multiCrop({ global: 10 }).sample(picture, key(4)) as [View];

test("a box beyond the picture is refused", () => {
  const beyond = { ...view, crop: { top: 20, left: 0, height: 30, width: 10 } };
  expect(() => applyView(picture, beyond)).toThrow(
    new RangeError("crop: expected a box within 60 x 45 pixels, got 10 x 30 at left 0, top 20"),
  );
});

test("memory of another size is refused", () => {
  expect(() => writeView(picture, view, new Uint8Array(299))).toThrow(
    new RangeError("out: expected 300 bytes for a crop of 10 pixels, got 299"),
  );
});

test("blocks that do not fit the views are refused", () => {
  const views = [view, view];
  expect(() =>
    applyViews(picture, views, { blocks: [new Uint8Array(300)], index: 0, batch: 1 }),
  ).toThrow(new RangeError("blocks: expected room for 2 views, got room for 1"));
  expect(() =>
    applyViews(picture, views, { blocks: [new Uint8Array(900)], index: 0, batch: 2 }),
  ).toThrow(
    new RangeError("blocks: expected whole crops of 300 bytes for 2 pictures, got 900 bytes"),
  );
  expect(() => applyViews(picture, views, { blocks: [], index: 2, batch: 2 })).toThrow(
    new RangeError("index: expected an integer from 0 to 1, got 2"),
  );
});
