import { batchSoftmax, centerSharpen, dinoLoss, sinkhorn } from "@dino/loss";
import { expectClose, expectNoLeak, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const temperature = 0.05;

onEveryBackend(() => {
  test("centring subtracts the centre, sharpening divides by the temperature", () => {
    const { teacher, center } = inputs();
    const targets = centerSharpen()(teacher, { center, temperature });
    const c = center.arraySync();
    const expected = rowsOf(teacher).map((row) =>
      normalised(row.map((x, k) => Math.exp((x - (c[k] as number)) / temperature))),
    );
    expectClose(targets, expected.flat());
  });

  test.each([1, 3])(
    "Sinkhorn-Knopp alternates between prototypes and pictures %i times",
    (iterations) => {
      const { teacher, center } = inputs();
      const targets = sinkhorn({ iterations })(teacher, { center, temperature });
      let expected = rowsOf(teacher).map((row) => row.map((x) => Math.exp(x / temperature)));
      for (let i = 0; i < iterations; i++) {
        const columns = transposed(transposed(expected).map(normalised));
        expected = columns.map(normalised);
      }
      expectClose(targets, expected.flat());
      expect(targets.shape).toEqual(teacher.shape);
    },
  );

  test("Sinkhorn-Knopp uses every prototype equally in the end", () => {
    const { teacher, center } = inputs();
    const targets = sinkhorn({ iterations: 200 })(teacher, { center, temperature: 0.5 });
    expectClose(tf.sum(targets, [0, 1]), Array(6).fill((2 * 4) / 6), 1e-4);
    expectClose(tf.sum(targets, 2), Array(2 * 4).fill(1));
  });

  test("the batch softmax is one over the batch, then over each picture's sum", () => {
    const { teacher, center } = inputs();
    const targets = batchSoftmax()(teacher, { center, temperature });
    const columns = transposed(rowsOf(teacher)).map((column) =>
      normalised(column.map((x) => Math.exp(x / temperature))),
    );
    expectClose(targets, transposed(columns).flatMap(normalised));
  });

  test("stays finite where a prototype's share underflows", () => {
    const { center } = inputs();
    const teacher = tf.tensor3d([0, 100, 0, 0, 0, 0, 0, 90, 0, 0, 0, -80], [1, 2, 6]);
    const targets = sinkhorn()(teacher, { center, temperature });
    expectClose(tf.sum(targets, 2), [1, 1]);
  });

  test("takes the place of centring in the loss", () => {
    const { teacher } = inputs();
    const target = sinkhorn({ iterations: 3 });
    const loss = dinoLoss({ prototypes: 6, target });
    const state = loss.init();
    const targets = loss.targets(state, { teacher, teacherTemperature: temperature });
    expectClose(targets, target(teacher, { ...state, temperature }).dataSync());
  });

  test("leaks no tensors", () => {
    const { teacher, center } = inputs();
    for (const target of [centerSharpen(), sinkhorn(), batchSoftmax()]) {
      expectNoLeak(() => target(teacher, { center, temperature }));
    }
  });
});

test("refuses to iterate less than once", () => {
  expect(() => sinkhorn({ iterations: 0 })).toThrow(
    "iterations: expected an integer of at least 1, got 0",
  );
});

function inputs() {
  return {
    teacher: named<tf.Tensor3D>("teacher", [2, 4, 6]),
    center: named<tf.Tensor1D>("center", [6]),
  };
}

const rowsOf = (x: tf.Tensor3D): number[][] => x.arraySync().flat();
const transposed = (rows: number[][]): number[][] =>
  (rows[0] ?? []).map((_, k) => rows.map((row) => row[k] as number));

function normalised(values: number[]): number[] {
  const total = values.reduce((a, b) => a + b, 0);
  return values.map((value) => value / total);
}
