import { expect, test } from "vitest";
import { describeWithAddon } from "../needs-addon.ts";
import { expectAgreement, odd, random, run } from "./agreement.ts";

const cases = [
  [[], []],
  [[1], [0]],
  [[5], [0]],
  [[3, 4], [0]],
  [[3, 4], [1]],
  [
    [3, 4],
    [0, 1],
  ],
  [[3, 4, 5], [1]],
  [
    [3, 4, 5],
    [0, 2],
  ],
  [
    [3, 1, 5],
    [0, 2],
  ],
  [[3, 1, 5], [1]],
  [
    [2, 3, 4, 5],
    [0, 1, 2],
  ],
  [
    [2, 3, 4, 5],
    [1, 3],
  ],
  [[3, 4], []],
  [[3, 0], [0]],
  [[2, 40_003], [1]],
  [[40_003, 2], [0]],
  [[301, 300], [0]],
  [[9, 17, 129], [1]],
] as const;

describeWithAddon("reductions", () => {
  test.each(["Sum", "Mean", "Max", "Min", "Prod"])("%s agrees with tfjs's own", (name) => {
    cases.forEach(([shape, axes], seed) => {
      for (const keepDims of [false, true]) {
        const axis = name === "Max" ? { reductionIndices: axes } : { axis: axes };
        const options = { attributes: { ...axis, keepDims }, tolerance: 3e-6 };
        expectAgreement(name, { x: random(shape, seed, 1.5) }, options);
        const integers = { ...random(shape, seed, 4), dtype: "int32" } as const;
        if (name !== "Mean") expectAgreement(name, { x: integers }, options);
        // What is neither finite nor a number shows in whichever way it is added up.
        if (name !== "Prod") expectAgreement(name, { x: odd(shape, seed) }, options);
      }
    });
  });

  test("a sum of many numbers is accurate", () => {
    const values = new Float32Array(3_000_000).fill(0.1);
    const [got] = run("native", "Sum", { x: { shape: [3_000_000], values } }, { axis: [0] });
    expect(got?.values[0]).toBe(Math.fround(3_000_000 * Math.fround(0.1)));
  });

  test.each(["ArgMax", "ArgMin"])("%s agrees with tfjs's own", (name) => {
    cases.forEach(([shape], seed) => {
      if (shape.includes(0 as never)) return;
      shape.forEach((_, axis) => {
        expectAgreement(name, { x: random(shape, seed) }, { attributes: { axis } });
        expectAgreement(name, { x: odd(shape, seed) }, { attributes: { axis } });
      });
    });
  });

  test("Softmax agrees with tfjs's own", () => {
    [[1], [7], [3, 40], [2, 3, 33], [5, 20_001], [300, 100]].forEach((shape, seed) => {
      const options = { attributes: { dim: shape.length - 1 } };
      expectAgreement("Softmax", { logits: random(shape, seed, 10) }, options);
      expectAgreement("Softmax", { logits: random(shape, seed, 300) }, options);
    });
  });

  test("Softmax of rows with infinities, NaN and nothing else agrees with tfjs's own", () => {
    const { NaN: none, NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number;
    for (const row of [
      [0, low, 1],
      [low, low, low],
      [high, 0, 1],
      [1, none, 2],
      [none, 1, 2],
      [1000, 0, -1000],
    ]) {
      const logits = { shape: [1, 3], values: row };
      expectAgreement("Softmax", { logits }, { attributes: { dim: 1 } });
    }
  });
});
