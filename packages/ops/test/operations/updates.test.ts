import { adamW, clipByNorm, ema, lars, sgd, squaredNorm } from "@dino/ops";
import { expectNoLeak, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { expectAgreement } from "../differential.ts";
import type { Values } from "../reference/linear.ts";
import * as reference from "../reference/updates.ts";

const shapes = [[3, 5], [7], [1, 1], [2, 3, 2, 2]] as const;

onEveryBackend(
  () => {
    const decay = { learningRate: 0.01, weightDecay: 0.1 };

    for (const shape of shapes) {
      const parameter = () => named(`parameter ${shape}`, shape);
      const gradient = () => named(`gradient ${shape}`, shape);

      test(`AdamW of [${shape}], first and later`, async () => {
        for (const step of [1, 7]) {
          const tensors = {
            parameter: parameter(),
            gradient: gradient(),
            moment1: step === 1 ? tf.zeros([...shape]) : named("moment1", shape),
            moment2: step === 1 ? tf.zeros([...shape]) : named("moment2", shape, 0, 1),
          };
          const settings = { ...decay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step };
          const expected = reference.adamW(await allValues(tensors), settings);
          const actual = adamW(tensors, settings);
          for (const name of ["parameter", "moment1", "moment2"] as const) {
            expect(actual[name].shape).toEqual([...shape]);
            expectAgreement(name, await actual[name].data(), expected[name]);
          }
          expectNoLeak(() => adamW(tensors, settings));
        }
      });

      for (const [name, update, trust] of [
        ["SGD", sgd, undefined],
        ["LARS", lars, 0.001],
      ] as const) {
        test(`${name} of [${shape}], first and later`, async () => {
          for (const buffer of [undefined, named("buffer", shape)]) {
            const tensors = { parameter: parameter(), gradient: gradient() };
            const withBuffer = buffer ? { ...tensors, buffer } : tensors;
            const settings = { ...decay, momentum: 0.9, trust: 0.001 };
            const actual = update(withBuffer, settings);
            // LARS leaves vectors alone.
            const isPlain = trust === undefined || shape.length === 1;
            const plain = { ...decay, momentum: 0.9 };
            const expected = reference.descend(
              await values(tensors.parameter),
              await values(tensors.gradient),
              buffer && (await values(buffer)),
              isPlain
                ? { ...plain, weightDecay: trust === undefined ? plain.weightDecay : 0 }
                : { ...plain, trust },
            );
            expectAgreement("parameter", await actual.parameter.data(), expected.parameter);
            expectAgreement("buffer", await actual.buffer.data(), expected.buffer);
            expectNoLeak(() => Object.values(update(withBuffer, settings)));
          }
        });
      }

      test(`the moving average of [${shape}]`, async () => {
        const [average, value] = [parameter(), gradient()];
        const other = await values(value);
        const mixed = (await values(average)).map((a, i) => 0.9 * a + 0.1 * (other[i] as number));
        expectAgreement("average", await ema(average, value, { momentum: 0.9 }).data(), mixed);
        expectNoLeak(() => ema(average, value, { momentum: 0.9 }));
      });

      test(`clipping of [${shape}]`, async () => {
        const g = await values(gradient());
        const norm = Math.sqrt(g.reduce((sum, value) => sum + value * value, 0));
        for (const maximum of [norm / 2, norm * 2]) {
          const factor = Math.min(1, maximum / (norm + 1e-6));
          const clipped = clipByNorm(gradient(), { maximum });
          expectAgreement(
            "clipped",
            await clipped.data(),
            g.map((value) => value * factor),
          );
        }
        expectAgreement("norm", await squaredNorm(gradient()).data(), [norm * norm]);
        const kept = gradient();
        expectNoLeak(() => clipByNorm(kept, { maximum: 1 }));
        expectNoLeak(() => squaredNorm(kept));
      });
    }

    test("LARS does not scale where there is no parameter or no slope", async () => {
      const settings = { learningRate: 1, weightDecay: 0, momentum: 0.9, trust: 0.001 };
      const [zero, one] = [tf.zeros([2, 2]), tf.ones([2, 2])];
      const moved = lars({ parameter: zero, gradient: one }, settings);
      expect([...(await moved.parameter.data())]).toEqual([-1, -1, -1, -1]);
      const still = lars({ parameter: one, gradient: zero }, settings);
      expect([...(await still.parameter.data())]).toEqual([1, 1, 1, 1]);
    });
  },
  { waits: true },
);

async function values(x: tf.Tensor): Promise<Values> {
  return Float64Array.from(await x.data());
}

async function allValues(
  tensors: Readonly<Record<string, tf.Tensor>>,
): Promise<Record<string, Values>> {
  const entries = Object.entries(tensors).map(
    async ([name, x]) => [name, await values(x)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}
