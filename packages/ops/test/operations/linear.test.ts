import { gelu, linear, ShapeError } from "@dino/ops";
import { onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { testDifferential } from "../differential.ts";
import * as reference from "../reference/linear.ts";

const shapes: readonly (readonly [rows: number, inputs: number, out: number])[] = [
  [9, 5, 7],
  [1, 5, 7],
  [3, 1, 4],
  [3, 4, 1],
  [1, 1, 1],
  [13, 9, 20],
  [300, 2, 3],
];

onEveryBackend(
  () => {
    for (const activation of ["none", "gelu", "relu"] as const) {
      for (const [rows, inputs, out] of shapes) {
        testDifferential(`${activation} of ${rows} rows, ${inputs} to ${out}`, {
          inputs: { x: [rows, inputs], weight: [out, inputs], bias: [out] },
          range: 2,
          run: ({ x, weight, bias }) => linear(x, weight, bias, { activation }),
          reference: ({ x, weight, bias }) =>
            reference.linear(x as never, weight as never, bias, inputs, activation),
        });
      }
    }

    testDifferential("the axes in front are kept", {
      inputs: { x: [2, 3, 4, 5], weight: [7, 5], bias: [7] },
      run: ({ x, weight, bias }) => linear<tf.Tensor4D>(x, weight, bias),
      reference: ({ x, weight, bias }) => reference.linear(x as never, weight as never, bias, 5),
    });

    testDifferential("the exact GELU far from zero too", {
      inputs: { x: [7, 11] },
      range: 7,
      run: ({ x }) => gelu(x),
      reference: ({ x }) => (x as reference.Values).map(reference.activations.gelu),
    });
    testDifferential("the GELU where it is 0 or x", {
      inputs: { x: [40] },
      range: 60,
      run: ({ x }) => gelu(x),
      reference: ({ x }) => (x as reference.Values).map(reference.activations.gelu),
    });
  },
  { waits: true },
);

test("keeps the rank of x", () => {
  const [weight, bias] = [tf.ones<tf.Rank.R2>([7, 5]), tf.zeros<tf.Rank.R1>([7])];
  expect(linear(tf.ones([2, 3, 5]), weight, bias).shape).toEqual([2, 3, 7]);
  expect(linear(tf.ones([5]), weight, bias).shape).toEqual([7]);
});

test("says which tensor does not fit", () => {
  const [weight, bias] = [tf.ones<tf.Rank.R2>([7, 5]), tf.zeros<tf.Rank.R1>([7])];
  const wide = () => linear(tf.ones([2, 6]), weight, bias);
  expect(wide).toThrow(ShapeError);
  expect(wide).toThrow("x: expected shape [2, 5], got [2, 6]");
  expect(() => linear(tf.ones([2, 5]), weight, tf.zeros([5]))).toThrow(
    "bias: expected shape [7], got [5]",
  );
});
