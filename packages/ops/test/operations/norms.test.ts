import {
  batchNormTraining,
  l2Normalize,
  layerNorm,
  moveStatistics,
  weightNormLinear,
} from "@dino/ops";
import { expectNoLeak, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { expectAgreement, testDifferential } from "../differential.ts";
import { at, type Values } from "../reference/linear.ts";
import * as reference from "../reference/norms.ts";

onEveryBackend(
  () => {
    for (const shape of [
      [9, 5],
      [1, 5],
      [4, 1],
      [2, 3, 7],
      [1, 33],
    ] as const) {
      const dim = shape.at(-1) as number;
      testDifferential(`layer norm of [${shape}]`, {
        inputs: { x: shape, weight: [dim], bias: [dim] },
        run: ({ x, weight, bias }) => layerNorm(x, weight, bias, { epsilon: 1e-5 }),
        reference: ({ x, weight, bias }) =>
          reference.layerNorm(x as Values, weight as Values, bias as Values, dim, 1e-5),
      });
    }

    for (const [rows, channels] of [
      [9, 5],
      [2, 3],
      [7, 1],
      [1, 4],
    ] as const) {
      testDifferential(`batch norm of ${rows} rows, ${channels} channels`, {
        inputs: { x: [rows, channels], weight: [channels], bias: [channels] },
        run: ({ x, weight, bias }) => {
          const { output, mean, variance } = batchNormTraining(x, weight, bias);
          tf.dispose([mean, variance]);
          return output;
        },
        reference: ({ x, weight, bias }) =>
          reference.batchNorm(x as Values, weight as Values, bias as Values, 1e-5).output,
        // Two rows become -1 and 1 whatever they are: their gradient is what rounding leaves of it.
        tolerance: rows === 2 ? 1e-4 : 1e-5,
      });
    }

    for (const activation of ["none", "relu"] as const) {
      testDifferential(`batch norm onto a residual, then ${activation}`, {
        inputs: { x: [9, 5], weight: [5], bias: [5], residual: [9, 5] },
        run: ({ x, weight, bias, residual }) => {
          const { output, mean, variance } = batchNormTraining(x, weight, bias, {
            residual,
            activation,
          });
          tf.dispose([mean, variance]);
          return output;
        },
        reference: ({ x, weight, bias, residual }) => {
          const { output } = reference.batchNorm(
            x as Values,
            weight as Values,
            bias as Values,
            1e-5,
          );
          const whole = output.map((value, i) => value + at(residual as Values, i));
          return activation === "relu" ? whole.map((value) => Math.max(value, 0)) : whole;
        },
      });
    }

    testDifferential("batch norm of 300 rows, 37 channels, then relu", {
      inputs: { x: [300, 37], weight: [37], bias: [37] },
      isLarge: true,
      run: ({ x, weight, bias }) => {
        const { output, mean, variance } = batchNormTraining(x, weight, bias, {
          activation: "relu",
        });
        tf.dispose([mean, variance]);
        return output;
      },
      reference: ({ x, weight, bias }) =>
        reference
          .batchNorm(x as Values, weight as Values, bias as Values, 1e-5)
          .output.map((value) => Math.max(value, 0)),
    });

    test("batch norm gives the moments it used", async () => {
      const x = named<tf.Tensor2D>("moments", [9, 5]);
      const [weight, bias] = [tf.ones<tf.Rank.R1>([5]), tf.zeros<tf.Rank.R1>([5])];
      const { mean, variance } = batchNormTraining(x, weight, bias);
      const [ones, zeros] = [new Float64Array(5).fill(1), new Float64Array(5)];
      const expected = reference.batchNorm(Float64Array.from(await x.data()), ones, zeros, 1e-5);
      expectAgreement("mean", await mean.data(), expected.mean);
      expectAgreement("variance", await variance.data(), expected.variance);
    });

    test("batch norm's moments of many rows far from zero are as exact", async () => {
      const x = tf.add<tf.Tensor2D>(named("many", [600, 3]), 30);
      const [ones, zeros] = [new Float64Array(3).fill(1), new Float64Array(3)];
      const { mean, variance } = batchNormTraining(x, tf.ones([3]), tf.zeros([3]));
      const expected = reference.batchNorm(Float64Array.from(await x.data()), ones, zeros, 1e-5);
      expectAgreement("mean", await mean.data(), expected.mean);
      expectAgreement("variance", await variance.data(), expected.variance, 3e-5);
    });

    test.each(["int32", "float32", undefined] as const)(
      "running statistics move on, with a count: %s",
      async (counts) => {
        const values = (name: string) => named<tf.Tensor1D>(name, [70]);
        const [mean, variance] = [values("running mean"), values("running variance")];
        const batch = { mean: values("mean"), variance: values("variance") };
        const running = { mean, variance, ...(counts && { count: tf.scalar(6, counts) }) };
        const move = () => moveStatistics(running, batch, { rows: 5, share: 0.25 });
        expectNoLeak(() => ({ ...move() }));
        const next = move();
        for (const [name, unbias] of [
          ["mean", 1],
          ["variance", 5 / 4],
        ] as const) {
          const [old, seen] = [await running[name].data(), await batch[name].data()];
          const expected = Float64Array.from(
            old,
            (value, i) => 0.75 * value + 0.25 * unbias * (seen[i] as number),
          );
          expectAgreement(name, await next[name].data(), expected);
        }
        const count = await next.count?.data();
        expect(count && [...count]).toEqual(counts && [7]);
        expect(next.count?.dtype).toBe(counts);
      },
    );

    for (const [shape, epsilon] of [
      [[9, 5], 1e-12],
      [[1, 1], 1e-12],
      [[2, 3, 4], 1e-12],
      [[5, 3], 10],
    ] as const) {
      testDifferential(`l2 norm of [${shape}], not below ${epsilon}`, {
        inputs: { x: shape },
        run: ({ x }) => l2Normalize(x, { epsilon }),
        reference: ({ x }) => reference.l2Normalize(x as Values, shape.at(-1) as number, epsilon),
      });
    }

    test("a row of zeros stays zero", async () => {
      expect(await l2Normalize(tf.zeros([2, 3])).data()).toEqual(new Float32Array(6));
    });

    for (const [rows, inputs, out] of [
      [9, 5, 7],
      [1, 5, 3],
      [4, 1, 3],
      [4, 3, 1],
    ] as const) {
      testDifferential(`weight norm of ${rows} rows, ${inputs} to ${out}`, {
        inputs: { x: [rows, inputs], gain: [out, 1], direction: [out, inputs] },
        run: ({ x, gain, direction }) => weightNormLinear(x, gain, direction),
        reference: ({ x, gain, direction }) =>
          reference.weightNormLinear(x as Values, gain as Values, direction as Values),
      });
    }
  },
  { waits: true },
);

test("says which tensor does not fit", () => {
  const [narrow, wide] = [tf.ones<tf.Rank.R1>([4]), tf.ones<tf.Rank.R1>([5])];
  const x = tf.ones<tf.Rank.R2>([9, 5]);
  expect(() => layerNorm(x, narrow, wide)).toThrow("weight: expected shape [5], got [4]");
  expect(() => layerNorm(x, wide, narrow)).toThrow("bias: expected shape [5], got [4]");
  expect(() => batchNormTraining(x, narrow, wide)).toThrow("weight: expected shape [5], got [4]");
  expect(() => batchNormTraining(x, wide, wide, { residual: tf.ones([9, 4]) })).toThrow(
    "residual: expected shape [9, 5], got [9, 4]",
  );
  expect(() => weightNormLinear(x, tf.ones([3, 1]), tf.ones([3, 4]))).toThrow(
    "x: expected shape [*, 4], got [9, 5]",
  );
  expect(() => weightNormLinear(x, tf.ones([4, 1]), tf.ones([3, 5]))).toThrow(
    "gain: expected shape [3, 1], got [4, 1]",
  );
});
