import { dinoCrossEntropy } from "@dino/ops";
import { namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { testDifferential } from "../differential.ts";
import { softmax } from "../reference/attention.ts";
import * as reference from "../reference/cross-entropy.ts";
import type { Values } from "../reference/linear.ts";

onEveryBackend(
  () => {
    for (const [crops, globals, batch, prototypes] of [
      [5, 2, 3, 3],
      [2, 2, 1, 4],
      [2, 1, 3, 1],
      [7, 2, 3, 11],
    ] as const) {
      const targets = probabilities(globals * batch, prototypes);
      testDifferential(`${crops} crops, ${globals} global, batch ${batch}, K ${prototypes}`, {
        inputs: { student: [crops, batch, prototypes] },
        run: ({ student }) =>
          tf.tidy(() =>
            dinoCrossEntropy(student, tf.tensor3d(targets, [globals, batch, prototypes]), {
              temperature: 0.1,
            }),
          ),
        reference: ({ student }) =>
          reference.dinoCrossEntropy(
            student as Values,
            targets,
            [crops, globals, batch, prototypes],
            0.1,
          ),
      });
    }
  },
  { waits: true },
);

test("says what does not fit", () => {
  const options = { temperature: 0.1 };
  expect(() => dinoCrossEntropy(tf.ones([5, 3, 4]), tf.ones([2, 3, 5]), options)).toThrow(
    "targets: expected shape [*, 3, 4], got [2, 3, 5]",
  );
  expect(() => dinoCrossEntropy(tf.ones([1, 3, 4]), tf.ones([2, 3, 4]), options)).toThrow(
    "student: expected at least 2 crops, got 1",
  );
});

/** Rows that sum to 1. */
function probabilities(rows: number, prototypes: number): Float32Array {
  const logits = namedValues("targets", rows * prototypes, -3, 3);
  return Float32Array.from({ length: rows }).reduce<Float32Array>(
    (all, _, row) => {
      all.set(
        softmax([...logits.subarray(row * prototypes, (row + 1) * prototypes)]),
        row * prototypes,
      );
      return all;
    },
    new Float32Array(rows * prototypes),
  );
}
