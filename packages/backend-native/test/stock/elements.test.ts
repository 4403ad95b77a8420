import { test } from "vitest";
import { describeWithAddon } from "../needs-addon.ts";
import { expectAgreement, type Given, odd, random, sizeOf, uniform } from "./agreement.ts";

const shapes = [[], [1], [0], [3, 0, 2], [17], [5, 7, 3], [127, 301]];

describeWithAddon("kernels that work number by number", () => {
  test.each([
    "Abs",
    "Ceil",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Log",
    "Neg",
    "Reciprocal",
    "Relu",
    "Relu6",
    "Round",
    "Rsqrt",
    "Sigmoid",
    "Sign",
    "Softplus",
    "Sqrt",
    "Square",
    "Tanh",
  ])("%s agrees with tfjs's own", (name) => {
    shapes.forEach((shape, seed) => {
      expectAgreement(name, { x: odd(shape, seed) });
      expectAgreement(name, { x: random(shape, seed, 20) });
    });
  });

  test("functions with parameters agree with tfjs's own", () => {
    shapes.forEach((shape, seed) => {
      const x = odd(shape, seed);
      const clip = { clipValueMin: -0.7, clipValueMax: 1.3 };
      expectAgreement("ClipByValue", { x }, { attributes: clip });
      expectAgreement("LeakyRelu", { x }, { attributes: { alpha: 0.2 } });
      expectAgreement("Step", { x }, { attributes: { alpha: -0.25 } });
      expectAgreement("EluGrad", { dy: odd(shape, seed + 7), y: x });
    });
  });

  const pairs = [
    [[], []],
    [[7], []],
    [[], [3, 5]],
    [[1], [4]],
    [[3, 5], [5]],
    [
      [3, 5],
      [3, 1],
    ],
    [
      [4, 1, 5],
      [3, 1],
    ],
    [
      [2, 3, 4, 5],
      [2, 1, 4, 1],
    ],
    [
      [1, 3, 1, 5],
      [2, 1, 4, 5],
    ],
    [
      [0, 3],
      [1, 3],
    ],
  ] as const;

  test.each(["Add", "Maximum", "Less"])("%s of large arrays agrees with tfjs's own", (name) => {
    for (const [a, b] of [
      [
        [61, 401],
        [61, 401],
      ],
      [[61, 401], [401]],
      [
        [61, 401],
        [61, 1],
      ],
      [
        [1, 20_001],
        [2, 1],
      ],
    ] as const) {
      expectAgreement(name, { a: odd(a, 1), b: odd(b, 2) });
    }
  });

  test.each([
    "Add",
    "Maximum",
    "Minimum",
    "Multiply",
    "Pow",
    "RealDiv",
    "SquaredDifference",
    "Sub",
    "Equal",
    "Greater",
    "GreaterEqual",
    "Less",
    "LessEqual",
    "NotEqual",
  ])("%s agrees with tfjs's own, however arrays are repeated", (name) => {
    pairs.forEach(([a, b], seed) => {
      expectAgreement(name, { a: odd(a, seed), b: odd(b, seed + 100) });
      expectAgreement(name, { a: odd(b, seed), b: odd(a, seed + 100) });
      const integers = (shape: readonly number[]): Given => ({
        ...random(shape, seed, 9),
        dtype: "int32",
      });
      if (name !== "Pow") expectAgreement(name, { a: integers(a), b: integers(b) });
    });
  });

  test("Prelu agrees with tfjs's own", () => {
    expectAgreement("Prelu", { x: odd([4, 5, 3], 1), alpha: random([3], 2) });
    expectAgreement("Prelu", { x: odd([4, 5, 3], 1), alpha: random([4, 5, 3], 2) });
  });

  test("Select agrees with tfjs's own", () => {
    shapes.forEach((shape, seed) => {
      const next = uniform(seed);
      const values = Array.from({ length: sizeOf(shape) }, () => Number(next() < 0));
      const condition: Given = { shape, values, dtype: "bool" };
      expectAgreement("Select", { condition, t: odd(shape, seed), e: odd(shape, seed + 9) });
    });
  });

  test("AddN agrees with tfjs's own", () => {
    for (const count of [1, 2, 5]) {
      for (const shape of shapes) {
        const all = Array.from({ length: count }, (_, seed) => odd(shape, seed));
        expectAgreement("AddN", all, { tolerance: 2e-6 });
      }
    }
  });

  test("Cast agrees with tfjs's own from each type to each", () => {
    const types = ["float32", "int32", "bool"] as const;
    for (const from of types) {
      for (const dtype of types) {
        shapes.forEach((shape, seed) => {
          const x: Given = { ...odd(shape, seed), dtype: from };
          expectAgreement("Cast", { x }, { attributes: { dtype } });
          const large: Given = { ...random(shape, seed, 1e10), dtype: from };
          expectAgreement("Cast", { x: large }, { attributes: { dtype } });
        });
      }
    }
  });
});
