import { entropy } from "@dino/ops";
import { expectNoLeak, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { expectAgreement } from "../differential.ts";

onEveryBackend(
  () => {
    test.each([[[2, 3, 7]], [[5, 1]], [[1, 130]], [[9]]])(
      "the entropy of %j is the mean over its rows",
      async (shape) => {
        const probabilities = tf.softmax(named("logits", shape, -4, 4));
        const values = [...(await probabilities.data())];
        const rows = values.length / (shape.at(-1) as number);
        const sum = values.reduce((total, p) => total - p * Math.log(p), 0);
        const actual = entropy(probabilities);
        expect(actual.shape).toEqual([]);
        expectAgreement("entropy", await actual.data(), [sum / rows]);
        expectNoLeak(() => entropy(probabilities));
      },
    );

    test("a probability of 0 adds nothing, nor does one of 1", async () => {
      const rows = tf.tensor2d([
        [0, 1, 0],
        [0.5, 0, 0.5],
      ]);
      expectAgreement("entropy", await entropy(rows).data(), [Math.LN2 / 2]);
    });
  },
  { waits: true },
);
