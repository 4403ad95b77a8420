import {
  linear,
  parameter,
  sgd,
  stopGradient,
  valueAndGradients,
  within,
  withPrefix,
} from "@dino/ops";
import { expectNoLeak, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { expectAgreement } from "./differential.ts";
import * as reference from "./reference/linear.ts";

onEveryBackend(
  () => {
    test("a parameter that is not used has no gradient", () => {
      const params = { used: tf.tensor1d([1, 2]), unused: tf.tensor1d([3]) };
      const { gradients } = valueAndGradients(params, ({ used }) =>
        tf.sum(tf.square(used as tf.Tensor)),
      );
      expect(Object.keys(gradients)).toEqual(["used"]);
    });

    test("value and gradients are all that is left", async () => {
      const params = { x: tf.tensor1d([1, 2]), unused: tf.scalar(1) };
      const f = ({ x }: Readonly<Record<string, tf.Tensor>>) =>
        tf.sum<tf.Scalar>(tf.square(x as tf.Tensor));
      const { value, gradients } = valueAndGradients(params, f);
      expect([...(await value.data())]).toEqual([5]);
      expect([...(await (gradients.x as tf.Tensor).data())]).toEqual([2, 4]);
      expectNoLeak(() => {
        const { value, gradients } = valueAndGradients(params, f);
        return [value, ...Object.values(gradients)];
      });
    });

    test("within a tidy, gradients outlive nothing but what is returned", () => {
      const params = { x: tf.tensor2d([1, 2], [1, 2]) };
      const [weight, bias] = [tf.ones<tf.Rank.R2>([3, 2]), tf.ones<tf.Rank.R1>([3])];
      expectNoLeak(() =>
        tf.tidy(() => {
          const { gradients } = valueAndGradients(params, ({ x }) =>
            tf.sum(linear(x as tf.Tensor2D, weight, bias, { activation: "gelu" })),
          );
          return tf.add(gradients.x as tf.Tensor, 1);
        }),
      );
    });

    test("gradients may be taken within the function of another gradient", async () => {
      const inner = tf.grad((y) => tf.sum(linear(y as tf.Tensor2D, tf.eye(2), tf.zeros([2]))));
      const outer = tf.grad((x) => {
        inner(x);
        return tf.sum(tf.square(x));
      });
      expect([...(await outer(tf.tensor2d([1, 2], [1, 2])).data())]).toEqual([2, 4]);
    });

    test("there are first derivatives alone", () => {
      const inner = tf.grad((y) => tf.sum(linear(y as tf.Tensor2D, tf.eye(2), tf.zeros([2]))));
      expect(() => tf.grad((x) => tf.sum(inner(x)))(tf.ones([1, 2]))).toThrow(
        "Cannot compute gradient: gradient function not found for DinoLinearBackward.",
      );
    });

    test("the forward pass sees every update of a weight", async () => {
      const x = named<tf.Tensor2D>("x", [9, 16]);
      const bias = tf.zeros<tf.Rank.R1>([8]);
      let weight = named<tf.Tensor2D>("weight", [8, 16]);
      for (let step = 0; step < 3; step++) {
        const expected = reference.linear(await float64(x), await float64(weight), undefined, 16);
        expectAgreement(`step ${step}`, await linear(x, weight, bias).data(), expected);
        const plain = tf.matMul(x, tf.transpose(weight));
        expectAgreement(`product ${step}`, await plain.data(), expected);
        const { gradients } = valueAndGradients({ weight }, (p) =>
          tf.sum(tf.square(linear(x, p.weight as tf.Tensor2D, bias))),
        );
        const old = { parameter: weight, gradient: gradients.weight as tf.Tensor };
        const settings = { learningRate: 0.1, weightDecay: 0, momentum: 0 };
        const { parameter: next, buffer } = sgd(old, settings);
        tf.dispose([old, buffer]);
        weight = next as tf.Tensor2D;
      }
    });

    test("a stopped gradient is a constant", async () => {
      const slope = tf.grad((x) => tf.sum(tf.mul(x, stopGradient(x))));
      expect([...(await slope(tf.tensor1d([2, 3])).data())]).toEqual([2, 3]);
      const x = tf.ones([2]);
      expectNoLeak(() => stopGradient(x));
      expectNoLeak(() => slope(x));
    });
  },
  { waits: true },
);

test("prefixes come and go", () => {
  const [a, b] = [tf.scalar(1), tf.scalar(2)];
  const params = { "blocks.0.weight": a, "blocks.01.weight": b, bias: b };
  expect(within(params, "blocks.0.")).toEqual({ weight: a });
  expect(withPrefix("backbone.", { weight: a })).toEqual({ "backbone.weight": a });
});

test("a missing parameter is named", () => {
  const one = tf.scalar(1);
  expect(() => parameter({}, "bias")).toThrow(
    "bias: expected a parameter of this name, got no parameters at all",
  );
  expect(() => parameter({ a: one, b: one, c: one, d: one, e: one, f: one }, "bias")).toThrow(
    "bias: expected a parameter of this name, got a, b, c, d and 2 more",
  );
});

async function float64(x: tf.Tensor): Promise<reference.Values> {
  return Float64Array.from(await x.data());
}
