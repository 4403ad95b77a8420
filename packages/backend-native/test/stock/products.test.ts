import { test } from "vitest";
import { describeWithAddon } from "../needs-addon.ts";
import { expectAgreement, expectResults, type Given, random } from "./agreement.ts";

const ways = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Matrices for a product `[m, k]` by `[k, n]`, as they lie. */
function matrices(
  [m, k, n]: readonly [number, number, number],
  [transposeA, transposeB]: (typeof ways)[number],
  [aBatch, bBatch]: readonly [readonly number[], readonly number[]],
) {
  const a = random([...aBatch, ...(transposeA ? [k, m] : [m, k])], m + k);
  const b = random([...bBatch, ...(transposeB ? [n, k] : [k, n])], k + n);
  return { inputs: { a, b }, attributes: { transposeA, transposeB } };
}

describeWithAddon("products of matrices", () => {
  test.each([
    [1, 1, 1],
    [3, 5, 7],
    [17, 33, 19],
    [8, 16, 48],
    [1, 100, 1],
    [70, 401, 35],
    [2, 0, 3],
    [0, 2, 3],
    [200, 130, 190],
  ] as const)("%i x %i x %i agrees with tfjs's own", (...size) => {
    const batches = [
      [[], []],
      [[1], [1]],
      [[3], [3]],
      [[4], [1]],
      [[1], [4]],
      [
        [2, 3],
        [2, 3],
      ],
    ] as const;
    // The largest one is worth all threads by itself.
    const chosen = size[0] === 200 ? batches.slice(0, 1) : batches;
    for (const way of ways) {
      for (const batch of chosen) {
        const { inputs, attributes } = matrices(size, way, batch);
        expectAgreement("BatchMatMul", inputs, { attributes, tolerance: 3e-6 });
      }
    }
  });

  test("batches are repeated along any of their axes, which tfjs's own are not", () => {
    const { inputs, attributes } = matrices([3, 4, 5], ways[1], [
      [2, 1],
      [1, 3],
    ]);
    const values = Array.from({ length: 2 * 3 * 3 * 5 }, (_, i) => {
      const [row, column] = [Math.floor(i / 5) % 3, i % 5];
      const [left, right] = [Math.floor(i / 45), Math.floor(i / 15) % 3];
      let sum = 0;
      for (let k = 0; k < 4; k++) {
        sum +=
          (inputs.a.values[(left * 3 + row) * 4 + k] as number) *
          (inputs.b.values[(right * 5 + column) * 4 + k] as number);
      }
      return sum;
    });
    const expected = [{ shape: [2, 3, 3, 5], dtype: "float32", values }];
    expectResults("BatchMatMul", inputs, expected, { attributes });
  });

  test("integers are left to tfjs's own", () => {
    const whole = (given: Given): Given => ({ ...given, dtype: "int32" });
    const inputs = { a: whole(random([3, 4], 1, 9)), b: whole(random([4, 2], 2, 9)) };
    const attributes = { transposeA: false, transposeB: false };
    expectAgreement("BatchMatMul", inputs, { attributes });
  });

  test.each(["linear", "relu", "relu6", "elu", "leakyrelu", "prelu", "sigmoid"])(
    "fused with a bias and %s agrees with tfjs's own",
    (activation) => {
      for (const way of ways) {
        for (const batch of [
          [[], []],
          [[3], [1]],
          [[2], [2]],
        ] as const) {
          for (const bias of [undefined, [19], [1], [17, 1], []]) {
            const { inputs, attributes } = matrices([17, 40, 19], way, batch);
            const prelu = activation === "prelu" && { preluActivationWeights: random([19], 5) };
            expectAgreement(
              "_FusedMatMul",
              { ...inputs, ...(bias && { bias: random(bias, 3, 2) }), ...prelu },
              {
                attributes: { ...attributes, activation, leakyreluAlpha: 0.3 },
                tolerance: 3e-6,
              },
            );
          }
        }
      }
    },
  );

  test("an activation keeps NaN", () => {
    const a: Given = { shape: [2, 2], values: [Number.NaN, 1, 2, -3] };
    const attributes = { transposeA: false, transposeB: false, activation: "relu" };
    expectAgreement("_FusedMatMul", { a, b: random([2, 20], 1) }, { attributes });
  });
});
