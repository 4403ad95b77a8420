import {
  type AdamWUpdate,
  adamW,
  adamWEach,
  clipByNorm,
  ema,
  lars,
  sgd,
  squaredNorm,
  squaredNormOfAll,
} from "@dino/ops";
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

      const adamWTensors = (step: number) => ({
        parameter: parameter(),
        gradient: gradient(),
        moment1: step === 1 ? tf.zeros([...shape]) : named("moment1", shape),
        moment2: step === 1 ? tf.zeros([...shape]) : named("moment2", shape, 0, 1),
      });
      const adamWSettings = { ...decay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

      test(`AdamW of [${shape}], first and later`, async () => {
        for (const step of [1, 7]) {
          const tensors = adamWTensors(step);
          const settings = { ...adamWSettings, step };
          const expected = reference.adamW(await allValues(tensors), settings);
          const actual = adamW(tensors, settings);
          expect(Object.keys(actual).sort()).toEqual(["moment1", "moment2", "parameter"]);
          for (const name of ["parameter", "moment1", "moment2"] as const) {
            expect(actual[name].shape).toEqual([...shape]);
            expectAgreement(name, await actual[name].data(), expected[name]);
          }
          expectConsuming(
            () => adamWTensors(step),
            (given) => adamW(given, settings),
          );
        }
      });

      test(`AdamW of [${shape}] with clipping and a moving average in one pass`, async () => {
        const withAverage = () => ({ ...adamWTensors(3), average: named("average", shape) });
        const settings = { ...adamWSettings, step: 3, clip: 0.4, momentum: 0.9 };
        const actual = adamW(withAverage(), settings);
        const { average, ...tensors } = withAverage();
        const clipped = clipByNorm(tensors.gradient, { maximum: 0.4 });
        const { clip, momentum, ...plain } = settings;
        const expected = adamW({ ...tensors, gradient: clipped }, plain);
        for (const name of ["parameter", "moment1", "moment2"] as const) {
          expectAgreement(name, await actual[name].data(), await expected[name].data(), 1e-6);
        }
        const moved = ema(average, expected.parameter, { momentum: 0.9 });
        const given = await (actual.average as tf.Tensor).data();
        expectAgreement("average", given, await moved.data(), 1e-6);
        expectConsuming(withAverage, (given) => adamW(given, settings));
      });

      for (const [name, update, trust] of [
        ["SGD", sgd, undefined],
        ["LARS", lars, 0.001],
      ] as const) {
        test(`${name} of [${shape}], first and later`, async () => {
          const tensorsOf = () => ({ parameter: parameter(), gradient: gradient() });
          for (const later of [false, true]) {
            const tensors = await allValues({ ...tensorsOf(), buffer: named("buffer", shape) });
            const buffer = later ? { buffer: named("buffer", shape) } : {};
            const settings = { ...decay, momentum: 0.9, trust: 0.001 };
            const actual = update({ ...tensorsOf(), ...buffer }, settings);
            // LARS leaves vectors alone.
            const isPlain = trust === undefined || shape.length === 1;
            const plain = { ...decay, momentum: 0.9 };
            const expected = reference.descend(
              tensors.parameter as Values,
              tensors.gradient as Values,
              later ? tensors.buffer : undefined,
              isPlain
                ? { ...plain, weightDecay: trust === undefined ? plain.weightDecay : 0 }
                : { ...plain, trust },
            );
            expectAgreement("parameter", await actual.parameter.data(), expected.parameter);
            expectAgreement("buffer", await actual.buffer.data(), expected.buffer);
            expectConsuming(
              () => ({ ...tensorsOf(), ...(later && { buffer: named("buffer", shape) }) }),
              (given) => update(given, settings),
            );
          }
        });
      }

      test(`the moving average of [${shape}]`, async () => {
        const [average, value] = [parameter(), gradient()];
        const other = await values(value);
        const mixed = (await values(average)).map((a, i) => 0.9 * a + 0.1 * (other[i] as number));
        expectAgreement("average", await ema(average, value, { momentum: 0.9 }).data(), mixed);
        expectConsuming(
          () => ({ average: parameter() }),
          ({ average }) => ema(average, value, { momentum: 0.9 }),
        );
        expect(value.isDisposed).toBe(false);
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
        expectConsuming(
          () => ({ gradient: gradient() }),
          (given) => clipByNorm(given.gradient, { maximum: 1 }),
        );
        const kept = gradient();
        expectNoLeak(() => squaredNorm(kept));
      });

      test(`clones of [${shape}] taken before an update keep their values`, async () => {
        const average = () => ({ average: parameter() });
        const momentum = () => ({
          parameter: parameter(),
          gradient: gradient(),
          buffer: named("buffer", shape),
        });
        const settings = { ...decay, momentum: 0.9, trust: 0.001 };
        await expectClonesKept({ ...adamWTensors(2), ...average() }, (given) =>
          adamW(given, { ...adamWSettings, step: 2, clip: 0.1, momentum: 0.9 }),
        );
        await expectClonesKept(momentum(), (given) => sgd(given, settings));
        await expectClonesKept(momentum(), (given) => lars(given, settings));
        await expectClonesKept(average(), (given) =>
          ema(given.average, gradient(), { momentum: 0.9 }),
        );
        await expectClonesKept({ gradient: gradient() }, (given) =>
          clipByNorm(given.gradient, { maximum: 0.1 }),
        );
      });

      test(`AdamW of [${shape}] tells tensors apart that share their values`, async () => {
        const settings = { ...adamWSettings, step: 1, momentum: 0.9 };
        const update = (average: tf.Tensor, tensors: ReturnType<typeof adamWTensors>) =>
          adamW({ ...tensors, average }, settings);
        // As a teacher begins: a clone of the student. And one tensor for both moments.
        const tensors = adamWTensors(1);
        const shared = update(tf.clone(tensors.parameter), {
          ...tensors,
          moment2: tf.clone(tensors.moment1),
        });
        const apart = update(parameter(), adamWTensors(1));
        for (const name of ["parameter", "moment1", "moment2", "average"] as const) {
          const expected = await (apart[name] as tf.Tensor).data();
          expectAgreement(name, await (shared[name] as tf.Tensor).data(), expected, 0);
        }
      });
    }

    // Vectors, which a backend may keep in a row: more than it binds at once, and of odd lengths.
    const many = [[3, 5], ...[1, 7, 64, 65, 300, 5, 2, 9, 130, 64, 8, 3, 4], [2, 3, 2, 2]].map(
      (shape) => (typeof shape === "number" ? [shape] : shape),
    );
    const each = { ...decay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum: 0.9 };
    const gradientOf = (i: number, step: number) =>
      named(`gradient ${i} ${step}`, many[i] as number[]);
    const begun = (): AdamWUpdate[] =>
      many.map((shape, i) => ({
        parameter: named(`parameter ${i}`, shape),
        moment1: named(`moment1 ${i}`, shape),
        moment2: named(`moment2 ${i}`, shape, 0, 1),
        ...(i !== 4 && { average: named(`average ${i}`, shape) }),
      }));
    // One is decayed in another way than the rest, and one has had fewer steps.
    const settingsOf = (i: number, step: number) => ({
      ...each,
      weightDecay: i === 3 ? 0.5 : 0.1,
      step: i === 5 ? step : step + 4,
      clip: 0.7,
    });
    const stepEach = (all: readonly AdamWUpdate[], step: number) =>
      adamWEach(
        all.map((tensors, i) => ({ ...tensors, gradient: gradientOf(i, step) })),
        all.map((_, i) => settingsOf(i, step)),
      );
    const stepOneByOne = (all: readonly AdamWUpdate[], step: number) =>
      all.map((tensors, i) =>
        adamW({ ...tensors, gradient: gradientOf(i, step) }, settingsOf(i, step)),
      );
    const expectSame = async (a: readonly AdamWUpdate[], b: readonly AdamWUpdate[]) => {
      const [actual, expected] = await Promise.all([a, b].map((all) => allValues(flat(all))));
      expect(Object.keys(actual as object)).toEqual(Object.keys(expected as object));
      for (const [name, values] of Object.entries(actual as object)) {
        expectAgreement(name, values, expected?.[name] as Values, 0);
      }
    };

    // A software adapter compiles for a while.
    const timeout = 240_000;

    test("AdamW of many parameters at once is that of each, to the bit", { timeout }, async () => {
      let [together, apart]: (readonly AdamWUpdate[])[] = [begun(), begun()];
      for (const step of [1, 2, 3]) {
        // A norm that is asked for before, of all; then of none; then of others than are updated.
        const before = [...many.keys()].map((i) => gradientOf(i, step));
        const norm =
          step === 2 ? undefined : squaredNormOfAll(step === 1 ? before : before.slice(2));
        together = adamWEach(
          (together as readonly AdamWUpdate[]).map((tensors, i) => ({
            ...tensors,
            gradient: before[i] as tf.Tensor,
          })),
          [...many.keys()].map((i) => settingsOf(i, step)),
        );
        apart = stepOneByOne(apart as readonly AdamWUpdate[], step);
        norm?.dispose();
      }
      expect(together?.map(({ parameter }) => parameter.shape)).toEqual(many);
      await expectSame(together as readonly AdamWUpdate[], apart as readonly AdamWUpdate[]);
    });

    test("AdamW of many parameters consumes them, and its results may be used one by one", {
      timeout,
    }, async () => {
      expectNoLeak(() => [...stepEach(begun(), 1)]);
      expectNoLeak(() => [...stepEach(stepEach(begun(), 1), 2)]);
      const given = begun();
      const first = stepEach(given, 1);
      expect(given.every(({ parameter }) => parameter.isDisposed)).toBe(true);

      // Clones keep their values; what a plain operation has read, or one update has changed, goes on.
      const clone = tf.clone(first[2]?.parameter as tf.Tensor);
      const sum = tf.sub(first[3]?.parameter as tf.Tensor, first[3]?.moment1 as tf.Tensor);
      const before = await values(clone);
      const [one, other] = [first[6], first[7]] as [AdamWUpdate, AdamWUpdate];
      const moved = ema(one.average as tf.Tensor, one.parameter, { momentum: 0.5 });
      other.parameter.dispose();
      const all = first.map((tensors, i) => {
        if (i === 6) return { ...tensors, average: moved };
        return i === 7 ? { ...tensors, parameter: named("new", many[7] as number[]) } : tensors;
      });
      const second = stepEach(all, 2);

      const alone = stepOneByOne(begun(), 1).map((tensors, i) => {
        if (i === 7) return { ...tensors, parameter: named("new", many[7] as number[]) };
        if (i !== 6) return tensors;
        const { parameter, average } = tensors as Required<AdamWUpdate>;
        return { ...tensors, average: ema(average, parameter, { momentum: 0.5 }) };
      });
      const expected = tf.sub(alone[3]?.parameter as tf.Tensor, alone[3]?.moment1 as tf.Tensor);
      expectAgreement("sum", await sum.data(), await expected.data(), 0);
      await expectSame(second, stepOneByOne(alone, 2));
      expect(await values(clone)).toEqual(before);
    });

    test("the norm of several tensors is that of all their elements", async () => {
      const tensors = [...many.keys()].map((i) => gradientOf(i, 1));
      let sum = 0;
      for (const tensor of tensors) for (const value of await values(tensor)) sum += value * value;
      expectAgreement("norm", await squaredNormOfAll(tensors).data(), [sum]);
      expectNoLeak(() => squaredNormOfAll(tensors));
      expect([...(await squaredNormOfAll([]).data())]).toEqual([0]);
      const large = named("large", [2, 9000]);
      const squares = (await values(large)).reduce((total, value) => total + value * value, 0);
      expectAgreement("large", await squaredNormOfAll([large]).data(), [squares]);
    });

    test("LARS does not scale where there is no parameter or no slope", async () => {
      const settings = { learningRate: 1, weightDecay: 0, momentum: 0.9, trust: 0.001 };
      const [zero, one] = [tf.zeros([2, 2]), tf.ones([2, 2])];
      const clones = () => [tf.clone(zero), tf.clone(one)] as const;
      const [parameter, gradient] = clones();
      const moved = lars({ parameter, gradient }, settings);
      expect([...(await moved.parameter.data())]).toEqual([-1, -1, -1, -1]);
      const [flat, rest] = clones();
      const still = lars({ parameter: rest, gradient: flat }, settings);
      expect([...(await still.parameter.data())]).toEqual([1, 1, 1, 1]);
    });
  },
  { waits: true },
);

type Named = Readonly<Record<string, tf.Tensor>>;

/** All tensors of several updates by name and number. */
function flat(all: readonly AdamWUpdate[]): Named {
  return Object.fromEntries(
    all.flatMap((tensors, i) =>
      Object.entries(tensors).map(([name, tensor]) => [`${name} ${i}`, tensor as tf.Tensor]),
    ),
  );
}

/** Fails unless `update` disposes of all that it is given and leaves nothing behind but what it returns. */
function expectConsuming<T extends Named>(make: () => T, update: (given: T) => tf.TensorContainer) {
  expectNoLeak(() => update(make()));
  const given = make();
  tf.dispose(update(given));
  for (const [name, tensor] of Object.entries(given)) expect(tensor.isDisposed, name).toBe(true);
}

async function expectClonesKept<T extends Named>(
  given: T,
  update: (given: T) => tf.TensorContainer,
): Promise<void> {
  const clones = Object.entries(given).map(([name, x]) => [name, tf.clone(x)] as const);
  const before = await allValues(given);
  const updated = update(given);
  for (const [name, clone] of clones) expect(await values(clone), name).toEqual(before[name]);
  tf.dispose([updated, ...clones.map(([, clone]) => clone)]);
}

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

test("AdamW of many parameters says how many settings it needs", () => {
  expect(() => adamWEach([], [{} as never])).toThrow("settings: expected 0, one for each, got 1");
});

test("AdamW says that an average needs a momentum, and consumes nothing then", () => {
  const make = () => tf.ones([2]);
  const tensors = { parameter: make(), gradient: make(), moment1: make(), moment2: make() };
  const settings = { learningRate: 1, weightDecay: 0, beta1: 0.9, beta2: 0.9, epsilon: 1, step: 1 };
  expect(() => adamW({ ...tensors, average: make() }, settings)).toThrow(
    "momentum: expected a number from 0 to 1 for the average, got undefined",
  );
  expect(tensors.parameter.isDisposed).toBe(false);
});
