import { type MultiCropOptions, multiCrop, type View } from "@dino/augmentations";
import { fold, key } from "@dino/random";
import { expect, test } from "vitest";

const picture = { width: 320, height: 240 };

/** The views of many pictures, by their place among the crops. */
function sampled(options: MultiCropOptions, pictures: number): readonly (readonly View[])[] {
  const policy = multiCrop(options);
  const views = Array.from({ length: pictures }, (_, i) => policy.sample(picture, fold(key(0), i)));
  return (views[0] ?? []).map((_, c) => views.map((crops) => crops[c] as View));
}

const share = (views: readonly View[], has: (view: View) => boolean) =>
  views.filter(has).length / views.length;

test("the crops are the paper's: two large ones, then eight small ones", () => {
  const { groups, sample } = multiCrop();
  expect(groups).toEqual([
    { size: 224, views: 2 },
    { size: 96, views: 8 },
  ]);
  expect(sample(picture, key(0)).map(({ size }) => size)).toEqual([
    224, 224, 96, 96, 96, 96, 96, 96, 96, 96,
  ]);
});

test("without local crops there is one group", () => {
  const { groups, sample } = multiCrop({ locals: 0, global: 64 });
  expect(groups).toEqual([{ size: 64, views: 2 }]);
  expect(sample(picture, key(0))).toHaveLength(2);
});

test("each kind of crop is changed as often as in the paper", () => {
  const pictures = 4000;
  const crops = sampled({ locals: 1 }, pictures);
  const expected = [
    { blur: 1, solarize: 0 },
    { blur: 0.1, solarize: 0.2 },
    { blur: 0.5, solarize: 0 },
  ];
  const near = (actual: number, probability: number) => {
    const error = Math.sqrt((probability * (1 - probability)) / pictures);
    expect(Math.abs(actual - probability)).toBeLessThanOrEqual(4 * error);
  };
  crops.forEach((views, c) => {
    near(
      share(views, ({ flip }) => flip),
      0.5,
    );
    near(
      share(views, ({ jitter }) => jitter !== null),
      0.8,
    );
    near(
      share(views, ({ grey }) => grey),
      0.2,
    );
    near(
      share(views, ({ blur }) => blur !== null),
      expected[c]?.blur as number,
    );
    near(
      share(views, ({ solarize }) => solarize),
      expected[c]?.solarize as number,
    );
  });
});

test("strengths fill their ranges, and every order of the colour changes comes", () => {
  const views = sampled({ locals: 0 }, 4000).flat();
  const jitters = views.flatMap(({ jitter }) => jitter ?? []);
  for (const [name, low, high] of [
    ["brightness", 0.6, 1.4],
    ["contrast", 0.6, 1.4],
    ["saturation", 0.8, 1.2],
    ["hue", -0.1, 0.1],
  ] as const) {
    const values = jitters.map((jitter) => jitter[name]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...values)).toBeLessThan(high);
    expect(Math.min(...values)).toBeCloseTo(low, 2);
    expect(Math.max(...values)).toBeCloseTo(high, 2);
  }
  expect(new Set(jitters.map(({ order }) => order.join())).size).toBe(24);

  const radii = views.flatMap(({ blur }) => blur ?? []);
  expect(Math.min(...radii)).toBeGreaterThanOrEqual(0.1);
  expect(Math.max(...radii)).toBeLessThan(2);
});

test("the same picture size and key give the same views, as plain data", () => {
  const policy = multiCrop({ global: 64, local: 32 });
  const views = policy.sample(picture, key(5));
  expect(policy.sample(picture, key(5))).toEqual(views);
  expect(JSON.parse(JSON.stringify(views))).toEqual(views);
  expect(policy.sample(picture, key(6))).not.toEqual(views);
});

test("a crop depends on its own place alone, not on how many others there are", () => {
  const few = multiCrop({ locals: 2 }).sample(picture, key(3));
  const many = multiCrop({ locals: 8 }).sample(picture, key(3));
  expect(many.slice(0, few.length)).toEqual(few);
});

test("changes of no strength are left out of the jitter", () => {
  const views = sampled({ jitter: { probability: 1, hue: 0, contrast: 0 } }, 20).flat();
  for (const { jitter } of views) {
    expect([...(jitter?.order ?? [])].sort()).toEqual(["brightness", "saturation"]);
  }
});

test("every change can be turned off", () => {
  const views = sampled(
    {
      flip: 0,
      jitter: { probability: 0 },
      grey: 0,
      blur: { first: 0, others: 0, locals: 0 },
      solarize: { others: 0 },
    },
    50,
  ).flat();
  for (const view of views) {
    expect(view).toMatchObject({
      flip: false,
      jitter: null,
      grey: false,
      blur: null,
      solarize: false,
    });
  }
});

test.each<[MultiCropOptions, string]>([
  [{ global: 0 }, "global: expected an integer of 1 or more, got 0"],
  [{ local: 31.5 }, "local: expected an integer of 1 or more, got 31.5"],
  [{ globals: 0 }, "globals: expected an integer of 1 or more, got 0"],
  [{ locals: -1 }, "locals: expected an integer of 0 or more, got -1"],
  [
    { globalScale: [0.8, 0.4] },
    "globalScale: expected [least, most] with 0 < least <= most <= 1, got [0.8, 0.4]",
  ],
  [
    { localScale: [0, 0.4] },
    "localScale: expected [least, most] with 0 < least <= most <= 1, got [0, 0.4]",
  ],
  [{ ratio: [0, 1] }, "ratio: expected [least, most] with 0 < least <= most, got [0, 1]"],
  [{ flip: 1.5 }, "flip: expected a probability in [0, 1], got 1.5"],
  [{ grey: Number.NaN }, "grey: expected a probability in [0, 1], got NaN"],
  [{ jitter: { hue: 0.6 } }, "jitter.hue: expected a number in [0, 0.5], got 0.6"],
  [{ jitter: { contrast: -1 } }, "jitter.contrast: expected a number of 0 or more, got -1"],
  [{ blur: { locals: 2 } }, "blur.locals: expected a probability in [0, 1], got 2"],
  [
    { blur: { radius: [2, 1] } },
    "blur.radius: expected [least, most] with 0 < least <= most <= 1000, got [2, 1]",
  ],
  [{ solarize: { first: -0.1 } }, "solarize.first: expected a probability in [0, 1], got -0.1"],
])("refuses %o", (options, message) => {
  expect(() => multiCrop(options)).toThrow(new RangeError(message));
});

test("a picture without pixels is refused", () => {
  expect(() => multiCrop().sample({ width: 0, height: 5 }, key(0))).toThrow(
    new RangeError("width: expected an integer of 1 or more, got 0"),
  );
});
