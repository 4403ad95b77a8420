import { expect, test } from "vitest";
import { describeWithAddon } from "../needs-addon.ts";
import { expectAgreement, expectResults, type Given, random, run, sizeOf } from "./agreement.ts";

const sizes = [
  [
    [1, 4, 4, 3],
    [8, 8],
  ],
  [
    [2, 7, 5, 1],
    [3, 9],
  ],
  [
    [2, 6, 6, 20],
    [4, 5],
  ],
  [
    [1, 1, 1, 2],
    [3, 2],
  ],
  [
    [1, 5, 4, 3],
    [1, 1],
  ],
  [
    [2, 33, 29, 3],
    [61, 40],
  ],
] as const;

const corners = [
  { alignCorners: false, halfPixelCenters: false },
  { alignCorners: true, halfPixelCenters: false },
  { alignCorners: false, halfPixelCenters: true },
];

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);

describeWithAddon("kernels of pictures", () => {
  test("FusedBatchNorm agrees with tfjs's own", () => {
    for (const [shape, channels] of [
      [[2, 3, 4, 5], [5]],
      [[1, 1, 1, 1], [1]],
      [[3, 7, 9, 40], [40]],
      [
        [2, 3],
        [2, 3],
      ],
    ] as const) {
      const positive = random(channels, 2);
      const inputs = {
        x: random(shape, 1, 5),
        mean: random(channels, 3),
        variance: { ...positive, values: Array.from(positive.values, (x) => x * x + 0.1) },
      };
      const [scale, offset] = [random(channels, 4), random(channels, 5)];
      for (const more of [{}, { scale }, { offset }, { scale, offset }]) {
        const attributes = { varianceEpsilon: 1e-3 };
        expectAgreement("FusedBatchNorm", { ...inputs, ...more }, { attributes });
      }
    }
  });

  test.each(["ResizeBilinear", "ResizeNearestNeighbor"])("%s agrees with tfjs's own", (name) => {
    for (const [shape, size] of sizes) {
      for (const corner of corners) {
        const attributes = { ...corner, size };
        expectAgreement(name, { images: random(shape, 1) }, { attributes });
      }
    }
  });

  test("ResizeBilinearGrad agrees with tfjs's own for square pictures", () => {
    for (const corner of corners.slice(0, 2)) {
      const inputs = { images: random([2, 6, 6, 5], 1), dy: random([2, 9, 4, 5], 2) };
      expectAgreement("ResizeBilinearGrad", inputs, { attributes: corner, tolerance: 2e-6 });
    }
  });

  test("ResizeBilinearGrad is the transpose of ResizeBilinear for any picture", () => {
    for (const [shape, size] of sizes) {
      const [images, , , channels] = shape;
      const dy = random([images, ...size, channels], 2);
      for (const corner of corners) {
        const x = random(shape, 1);
        const [y] = run("native", "ResizeBilinear", { images: x }, { ...corner, size });
        const [dx] = run("native", "ResizeBilinearGrad", { images: x, dy }, corner);
        expect(dx?.shape).toEqual([...shape]);
        const [there, back] = [dot(y?.values ?? [], dy.values), dot(x.values, dx?.values ?? [])];
        expect(Math.abs(there - back)).toBeLessThan(1e-5 * sizeOf(dy.shape) ** 0.5);
      }
    }
  });

  const modes = ["constant", "reflect", "wrap", "nearest"] as const;

  test.each(modes)("Transform beyond the picture by %s agrees with tfjs's own", (fillMode) => {
    const transforms: Given = {
      shape: [1, 8],
      values: [0.9, 0.3, -2.2, -0.4, 1.2, 1.3, 0.01, -0.02],
    };
    for (const interpolation of ["nearest", "bilinear"]) {
      for (const outputShape of [undefined, [9, 4]]) {
        const attributes = { interpolation, fillMode, fillValue: 0.5, outputShape };
        const inputs = { image: random([1, 7, 6, 3], 1), transforms };
        expectAgreement("Transform", inputs, { attributes, tolerance: 1e-5 });
      }
    }
  });

  test("Transform reaches every picture, each by its own projection, unlike tfjs's own", () => {
    const [all, one] = [random([3, 5, 6, 2], 1), 5 * 6 * 2];
    const matrices = random([3, 8], 2, 0.02).values;
    const transforms: Given = {
      shape: [3, 8],
      values: Array.from(matrices, (x, i) => x + (i % 8 === 0 || i % 8 === 4 ? 1 : 0)),
    };
    const attributes = { interpolation: "bilinear", fillMode: "constant", fillValue: 0 };
    const parts = [0, 1, 2].map((i) => {
      const image = {
        shape: [1, 5, 6, 2],
        values: Array.from(all.values).slice(i * one, (i + 1) * one),
      };
      const values = Array.from(transforms.values).slice(8 * i, 8 * i + 8);
      const inputs = { image, transforms: { shape: [1, 8], values } };
      return run("cpu", "Transform", inputs, attributes).flatMap(({ values }) => values);
    });
    const expected = [{ shape: [3, 5, 6, 2], dtype: "float32", values: parts.flat() }];
    expectResults("Transform", { image: all, transforms }, expected, { attributes });
  });
});
