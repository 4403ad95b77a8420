import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { describeWithAddon } from "../needs-addon.ts";
import { expectAgreement, expectResults, type Given, odd, random } from "./agreement.ts";

/** Input, filter, strides and padding. */
const cases = [
  [[1, 5, 5, 1], [3, 3, 1, 1], 1, "valid"],
  [[2, 5, 6, 1], [3, 3, 1, 2], 2, "same"],
  [[2, 7, 9, 3], [3, 3, 3, 5], 1, "same"],
  [[2, 8, 7, 3], [3, 2, 3, 20], 2, "same"],
  [[1, 9, 9, 16], [3, 3, 16, 33], [2, 1], "valid"],
  [[2, 6, 6, 40], [1, 1, 40, 17], 1, "valid"],
  [[2, 7, 6, 8], [1, 1, 8, 4], 2, "valid"],
  [[1, 10, 11, 4], [5, 4, 4, 6], 3, "same"],
  [[1, 6, 7, 2], [3, 3, 2, 3], 1, 1],
  [
    [1, 6, 7, 2],
    [3, 3, 2, 3],
    2,
    [
      [0, 0],
      [2, 1],
      [0, 2],
      [0, 0],
    ],
  ],
  [[3, 16, 16, 3], [7, 7, 3, 24], 2, 3],
  [[1, 4, 4, 2], [6, 6, 2, 3], 1, "same"],
  [[4, 20, 20, 24], [3, 3, 24, 32], 1, "same"],
] as const;

const window = (strides: unknown, pad: unknown) => ({
  strides,
  pad,
  dataFormat: "NHWC",
  dilations: 1,
});

function outputShape(x: readonly number[], filter: readonly number[], attributes: object) {
  const { strides, pad } = attributes as { strides: number; pad: "same" };
  const sizes = [x, filter] as [[number, number, number, number], never];
  return tf.backend_util.computeConv2DInfo(...sizes, strides, 1, pad).outShape;
}

describeWithAddon("convolutions", () => {
  test.each(cases)("of %j with %j, strides %j, padding %j agree with tfjs's own", (...one) => {
    const [x, filter, strides, pad] = one;
    const attributes = window(strides, pad);
    const inputs = { x: random(x, 1), filter: random(filter, 2) };
    expectAgreement("Conv2D", inputs, { attributes, tolerance: 3e-6 });
    const dy = random(outputShape(x, filter, attributes), 3);
    expectAgreement(
      "Conv2DBackpropInput",
      { dy, filter: inputs.filter },
      { attributes: { ...attributes, inputShape: x }, tolerance: 3e-6 },
    );
    expectAgreement(
      "Conv2DBackpropFilter",
      { x: inputs.x, dy },
      { attributes: { ...attributes, filterShape: filter }, tolerance: 3e-6 },
    );
  });

  test("with dilations agree with tfjs's own", () => {
    for (const pad of ["same", "valid"]) {
      const attributes = { ...window(1, pad), dilations: [2, 3] };
      const inputs = { x: random([2, 11, 12, 5], 1), filter: random([3, 3, 5, 6], 2) };
      expectAgreement("Conv2D", inputs, { attributes, tolerance: 3e-6 });
    }
  });

  test("with channels first are left to tfjs's own", () => {
    const attributes = { ...window(1, "same"), dataFormat: "NCHW" };
    const inputs = { x: random([1, 3, 5, 6], 1), filter: random([3, 3, 3, 4], 2) };
    expectAgreement("Conv2D", inputs, { attributes, tolerance: 3e-6 });
  });

  test.each(["linear", "relu", "relu6", "elu", "leakyrelu", "prelu", "sigmoid"])(
    "fused with a bias and %s agree with tfjs's own",
    (activation) => {
      for (const bias of [undefined, [7], [1]]) {
        const attributes = { ...window(1, "same"), activation, leakyreluAlpha: 0.3 };
        const inputs = {
          x: random([2, 6, 5, 3], 1, 3),
          filter: random([3, 3, 3, 7], 2),
          ...(bias && { bias: random(bias, 3) }),
          ...(activation === "prelu" && { preluActivationWeights: random([7], 4) }),
        };
        expectAgreement("FusedConv2D", inputs, { attributes, tolerance: 3e-6 });
      }
    },
  );

  test("of each channel agree with tfjs's own", () => {
    for (const [x, filter, strides, dilations, pad] of [
      [[2, 7, 6, 5], [3, 3, 5, 1], 1, 1, "same"],
      [[2, 7, 6, 5], [3, 2, 5, 3], 2, 1, "valid"],
      [[1, 9, 9, 40], [3, 3, 40, 1], 1, 2, "same"],
    ] as const) {
      const attributes = { strides, dilations, pad };
      const inputs = { x: random(x, 1), filter: random(filter, 2) };
      expectAgreement("DepthwiseConv2dNative", inputs, { attributes, tolerance: 3e-6 });
    }
  });
});

const pools = [
  [[1, 4, 4, 1], 2, 2, "valid"],
  [[2, 7, 9, 3], 3, 2, "same"],
  [[2, 7, 9, 70], [3, 2], [1, 2], "valid"],
  [[1, 6, 6, 5], 3, 1, "same"],
  [[1, 8, 8, 130], 3, 2, 1],
  [[2, 5, 5, 4], 1, 1, "valid"],
  [[2, 5, 5, 4], 1, 2, "valid"],
  [[3, 7, 7, 65], 7, 7, "valid"],
] as const;

describeWithAddon("pooling", () => {
  test.each(pools)("of %j, window %j, strides %j, padding %j agrees with tfjs's own", (...one) => {
    const [shape, filterSize, strides, pad] = one;
    const attributes = { filterSize, strides, pad };
    expectAgreement("MaxPool", { x: random(shape, 1) }, { attributes });
    expectAgreement("AvgPool", { x: random(shape, 1) }, { attributes });
    const input = random(shape, 2);
    const sizes = [shape as unknown as [number, number, number, number], filterSize] as const;
    const { outShape } = tf.backend_util.computePool2DInfo(
      sizes[0],
      sizes[1] as number,
      strides as number,
      1,
      pad,
    );
    const dy = random(outShape, 3);
    // Ties, as behind a ReLU: the first place of a window counts.
    const flat: Given = { ...input, values: Array.from(input.values, (x) => Math.max(x, 0)) };
    for (const x of [input, flat]) {
      const output = random(outShape, 4);
      expectAgreement("MaxPoolGrad", { dy, input: x, output }, { attributes });
    }
    if (pad === "valid") expectAgreement("AvgPoolGrad", { dy, input }, { attributes });
  });

  test("the largest number is found among NaN and infinities as by tfjs's own", () => {
    const attributes = { filterSize: 2, strides: 2, pad: "valid" };
    expectAgreement("MaxPool", { x: odd([2, 8, 8, 3], 1) }, { attributes });
    const inputs = {
      dy: random([2, 4, 4, 3], 1),
      input: odd([2, 8, 8, 3], 1),
      output: random([2, 4, 4, 3], 1),
    };
    expectAgreement("MaxPoolGrad", inputs, { attributes });
  });

  test("the gradient of means at a padded border is that of what is computed", () => {
    // Means over as many numbers as are there: the shares of each add up to 1.
    const inputs = {
      dy: { shape: [1, 2, 2, 1], values: [1, 2, 3, 4] },
      input: random([1, 3, 3, 1], 1),
    };
    const attributes = { filterSize: 2, strides: 2, pad: "same" };
    const values = [0.25, 0.25, 1, 0.25, 0.25, 1, 1.5, 1.5, 4];
    const expected = [{ shape: [1, 3, 3, 1], dtype: "float32", values }];
    expectResults("AvgPoolGrad", inputs, expected, { attributes });
    expect(values.reduce((a, b) => a + b)).toBe(10);
  });
});
