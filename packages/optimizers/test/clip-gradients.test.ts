import { clipGradients, gradientNorm, gradientNorms } from "@dino/optimizers";
import { expectClose, expectNoLeak, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const make = () => ({ weight: tf.fill([2, 3], 2), bias: tf.fill([2], 0.5) });
const norm = Math.hypot(...Array(6).fill(2), 0.5, 0.5);

onEveryBackend(() => {
  test("shortens each tensor's gradient that is too long, and no other", () => {
    const { weight, bias } = clipGradients(make(), { maximum: 3 }) as ReturnType<typeof make>;
    expectClose(weight, Array(6).fill(1.2247446214));
    expectClose(bias, [0.5, 0.5], 0);
  });

  test("shortens all of them by one factor in global mode", () => {
    const { weight, bias } = clipGradients(make(), { maximum: 3, mode: "global" }) as ReturnType<
      typeof make
    >;
    expectClose(weight, Array(6).fill((2 * 3) / (norm + 1e-6)));
    expectClose(bias, Array(2).fill((0.5 * 3) / (norm + 1e-6)));
    const short = clipGradients(make(), { maximum: 2 * norm, mode: "global" });
    expectClose(short.weight as tf.Tensor, Array(6).fill(2), 0);
  });

  test("tells the norm of all gradients, and of each", () => {
    const gradients = make();
    expectClose(gradientNorm(gradients), norm);
    expectClose(gradientNorm({}), 0);
    const norms = gradientNorms(gradients);
    expectClose(norms.weight as tf.Scalar, 4.898979486);
    expectClose(norms.bias as tf.Scalar, Math.SQRT1_2);
  });

  test("keeps the direction", () => {
    const gradient = named("gradient", [3, 4]);
    const expected = tf.mul(gradient, tf.div(0.1, tf.add(tf.norm(gradient), 1e-6))).dataSync();
    expectClose(clipGradients({ gradient }, { maximum: 0.1 }).gradient as tf.Tensor, expected);
  });

  test("consumes the gradients and leaks no tensors", () => {
    for (const mode of ["per-tensor", "global"] as const) {
      expectNoLeak(() => ({ ...clipGradients(make(), { maximum: 1, mode }) }));
    }
    expectNoLeak(() => {
      const gradients = make();
      return [gradients, gradientNorm(gradients), { ...gradientNorms(gradients) }];
    });
  });
});

test("refuses a maximum that would leave nothing", () => {
  expect(() => clipGradients({}, { maximum: 0 })).toThrow("maximum: expected above 0, got 0");
});
