import { ema, type Params } from "@dino/ops";
import { type AdamWState, adamW, clipGradients, lars, type Optimizer, sgd } from "@dino/optimizers";
import { expectClose, expectNoLeak, expectValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

type State = { readonly [table: string]: Readonly<Record<string, tf.Tensor | number>> };
const optimizers: readonly (readonly [string, () => Optimizer<State>])[] = [
  ["adamW", () => adamW() as unknown as Optimizer<State>],
  ["sgd", () => sgd() as unknown as Optimizer<State>],
  ["lars", () => lars() as unknown as Optimizer<State>],
];

onEveryBackend(() => {
  // After two steps, the second with twice the first's settings.
  test.each([
    ["AdamW", () => run(adamW()), [-0.7137452973, -1.0216913215, -0.856909239, -0.2923410109]],
    ["SGD", () => run(sgd()), [-0.7118866601, -1.0291685438, -0.8624163802, -0.2900563174]],
  ])("%s agrees with figures computed in double precision", (_, result, expected) => {
    expectValues(result().subarray(0, 4), expected);
  });

  test("LARS agrees with figures computed in double precision", () => {
    let params: Params = { weight: wave([3, 4], 3), gain: wave([4], 4) };
    const optimizer = lars();
    let state = optimizer.init(params);
    for (const s of [0, 1]) {
      const gradients = { weight: wave([3, 4], 5 + s), gain: wave([4], 7 + s) };
      const at = { learningRate: 0.3, weightDecay: 1e-4 };
      ({ params, state } = optimizer.update(params, gradients, state, at));
    }
    const { weight, gain } = params as Record<"weight" | "gain", tf.Tensor>;
    const row = [-0.6882042988, -0.9944088027, -0.8329273086, -0.2797070864];
    expectValues(weight.dataSync().subarray(0, 4), row);
    expectClose(gain, [-0.8169927815, 0.1333822153, 1.0210254721, 1.4284644955]);
  });

  test("LARS takes a direction as it is where a norm is zero", () => {
    const params = { weight: tf.zeros([2, 2]) };
    const at = { learningRate: 0.5, weightDecay: 0 };
    const optimizer = lars();
    const next = optimizer.update(params, { weight: tf.ones([2, 2]) }, optimizer.init(params), at);
    expectClose(next.params.weight as tf.Tensor, [-0.5, -0.5, -0.5, -0.5]);
  });

  test.each([
    ["adamW", () => adamW() as unknown as Optimizer<State>],
    ["sgd", () => sgd() as unknown as Optimizer<State>],
  ])("%s decays everything but biases and 1-D parameters", (_, make) => {
    const names = {
      "fc.weight": [2, 2],
      "fc.bias": [2],
      "norm.weight": [2],
      cls_token: [1, 1, 2],
      "odd.bias": [2, 1],
    };
    const zero = (shape: number[]) => tf.zeros(shape);
    const params = entries(names, (shape) => tf.ones(shape));
    const optimizer = make();
    const at = { learningRate: 0.5, weightDecay: 0.1 };
    const next = optimizer.update(params, entries(names, zero), optimizer.init(params), at);
    const first = (name: string) => next.params[name]?.dataSync()[0];
    expect(first("fc.weight")).toBeCloseTo(0.95, 6);
    expect(first("cls_token")).toBeCloseTo(0.95, 6);
    expect(["fc.bias", "norm.weight", "odd.bias"].map(first)).toEqual([1, 1, 1]);
  });

  test("decays what it is told to", () => {
    const decay = (name: string) => name === "b";
    const optimizer = adamW({ decay });
    const params = { a: tf.ones([2, 2]), b: tf.ones([2]) };
    const gradients = { a: tf.zeros([2, 2]), b: tf.zeros([2]) };
    const at = { learningRate: 1, weightDecay: 0.5 };
    const next = optimizer.update(params, gradients, optimizer.init(params), at).params;
    expectClose(next.a as tf.Tensor, [1, 1, 1, 1]);
    expectClose(next.b as tf.Tensor, [0.5, 0.5]);
  });

  test.each(optimizers)(
    "%s leaves a parameter without a gradient as if the step had not been",
    (_, make) => {
      const at = { learningRate: 0.1, weightDecay: 0.1 };
      const optimizer = make();
      const start = () => ({ frozen: wave([2, 2], 1), free: wave([2, 2], 2) });
      let params: Params = start();
      const frozen = params.frozen;
      let state = optimizer.init(params);
      for (const s of [0, 1, 2]) {
        ({ params, state } = optimizer.update(params, { free: wave([2, 2], 5 + s) }, state, at));
      }
      expect(params.frozen).toBe(frozen);
      for (const table of Object.values(state)) expect(Object.keys(table)).toEqual(["free"]);

      // Its first step is then that of a new run.
      const late = optimizer.update(params, { frozen: wave([2, 2], 9) }, state, at).params;
      const fresh = start();
      const early = optimizer.update(
        fresh,
        { frozen: wave([2, 2], 9) },
        optimizer.init(fresh),
        at,
      ).params;
      expectClose(late.frozen as tf.Tensor, (early.frozen as tf.Tensor).dataSync(), 0);
    },
  );

  test("counts AdamW's steps by parameter, also at a learning rate of 0", () => {
    const optimizer = adamW();
    let params: Params = { a: wave([2, 2], 1), b: wave([2, 2], 2) };
    const before = params.a?.dataSync() as Float32Array;
    let state = optimizer.init(params);
    const at = { learningRate: 0, weightDecay: 0.1 };
    for (const names of [["a"], ["a", "b"], ["b"], ["a"]]) {
      const gradients = Object.fromEntries(names.map((name) => [name, wave([2, 2], 3)]));
      ({ params, state } = optimizer.update(params, gradients, state, at));
    }
    expect(state.steps).toEqual({ a: 3, b: 2 });
    expectClose(params.a as tf.Tensor, before, 0);
    expect(tf.max(tf.abs(state.moment1.a as tf.Tensor)).dataSync()[0]).toBeGreaterThan(0);
  });

  test.each(optimizers)("%s consumes what it replaces and leaks no tensors", (_, make) => {
    const optimizer = make();
    const at = { learningRate: 0.1, weightDecay: 0.1 };
    const start = (): Params => ({ a: wave([2, 3], 1), b: wave([3], 2), frozen: wave([2], 4) });
    const gradients = () => ({ a: wave([2, 3], 5), b: wave([3], 6) });
    const twice = () => {
      const params = start();
      const first = optimizer.update(params, gradients(), optimizer.init(params), at);
      const second = optimizer.update(first.params, gradients(), first.state, at);
      return [second.params, second.state] as unknown as tf.TensorContainer;
    };
    expectNoLeak(twice);
    expectNoLeak(twice);
    const params = start();
    const given = gradients();
    optimizer.update(params, given, optimizer.init(params), at);
    expect([params.a, given.a, given.b].map((x) => x?.isDisposed)).toEqual([true, true, true]);
    expect(params.frozen?.isDisposed).toBe(false);
  });

  test("AdamW's one pass is clipping, update and moving average, to the bit", () => {
    const optimizer = adamW();
    const at = { learningRate: 0.1, weightDecay: 0.1 };
    const start = (): Params => ({ a: wave([2, 3], 1), b: wave([3], 2), c: wave([2, 2], 3) });
    const teacher = (): Params => ({ a: wave([2, 3], 4), c: wave([2, 2], 5) });
    // The gradient of b is short; c has one in the second step alone.
    const gradients = (s: number): Params => ({
      a: wave([2, 3], 5 + s),
      b: tf.mul(wave([3], 6 + s), 0.01),
      ...(s === 1 && { c: wave([2, 2], 7) }),
    });

    let [params, averages] = [start(), teacher()];
    let state = optimizer.init(params);
    let one = { params: start(), state: optimizer.init(params), averages: teacher() };
    for (const s of [0, 1, 2]) {
      const clipped = clipGradients(gradients(s), { maximum: 0.5 });
      ({ params, state } = optimizer.update(params, clipped, state, at));
      averages = Object.fromEntries(
        Object.entries(averages).map(([name, average]) => [
          name,
          ema(average, params[name] as tf.Tensor, { momentum: 0.9 }),
        ]),
      );
      one = optimizer.updateInOnePass(one.params, gradients(s), one.state, {
        ...at,
        clipNorm: 0.5,
        averages: { params: one.averages, momentum: 0.9 },
      });
    }
    expect(one.state.steps).toEqual(state.steps);
    const tables = (all: typeof one) => [all.params, all.averages, ...moments(all.state)];
    tables({ params, state, averages }).forEach((table, i) => {
      const own = tables(one)[i] as Params;
      expect(Object.keys(own).sort()).toEqual(Object.keys(table).sort());
      for (const name in table) {
        expectClose(own[name] as tf.Tensor, (table[name] as tf.Tensor).dataSync(), 0);
      }
    });
  });

  test("AdamW's one pass consumes what it replaces, without gradients too, and leaks nothing", () => {
    const optimizer = adamW();
    const at = { learningRate: 0.1, weightDecay: 0.1, clipNorm: 1 };
    const start = (): Params => ({ a: wave([2, 3], 1), frozen: wave([2], 4) });
    const once = (params: Params, averages: Params) => {
      const gradients = { a: wave([2, 3], 5) };
      const state = optimizer.init(params);
      const all = { ...at, averages: { params: averages, momentum: 0.5 } };
      return optimizer.updateInOnePass(params, gradients, state, all);
    };
    expectNoLeak(() => once(start(), start()) as unknown as tf.TensorContainer);
    const [params, averages] = [start(), start()];
    once(params, averages);
    const gone = [params.a, params.frozen, averages.a, averages.frozen].map((x) => x?.isDisposed);
    expect(gone).toEqual([true, false, true, true]);
  });

  test("AdamW's one pass says what does not fit, and consumes nothing then", () => {
    const optimizer = adamW();
    const params = { a: wave([2, 3], 1) };
    const pass = (settings: Partial<Parameters<typeof optimizer.updateInOnePass>[3]>) => () =>
      optimizer.updateInOnePass(params, { a: wave([2, 3], 2) }, optimizer.init(params), {
        learningRate: 0.1,
        weightDecay: 0,
        ...settings,
      });
    const average = (params: Params, momentum = 0.5) => ({ averages: { params, momentum } });
    expect(pass({ clipNorm: 0 })).toThrow("clipNorm: expected above 0, got 0");
    expect(pass(average({ a: params.a }, 2))).toThrow(
      "averages.momentum: expected from 0 to 1, got 2",
    );
    expect(pass(average({ b: wave([2], 1) }))).toThrow(
      "averages.b: expected a parameter of this name, got none",
    );
    expect(pass(average({ a: wave([2], 1) }))).toThrow(
      "averages.a: expected shape [2, 3], got [2]",
    );
    expect(params.a.isDisposed).toBe(false);
  });

  test.each(optimizers)(
    "%s says which gradient does not fit, and consumes nothing then",
    (_, make) => {
      const optimizer = make();
      const params = { a: wave([2, 3], 1) };
      const at = { learningRate: 0.1, weightDecay: 0.1 };
      const update =
        (gradients: Params, settings = at) =>
        () =>
          optimizer.update(params, gradients, optimizer.init(params), settings);
      expect(update({ a: wave([3, 2], 1) })).toThrow(
        "gradients.a: expected shape [2, 3], got [3, 2]",
      );
      expect(update({ b: wave([3, 2], 1) })).toThrow(
        "gradients.b: expected a parameter of this name, got none",
      );
      expect(update({ a: wave([2, 3], 1) }, { learningRate: Number.NaN, weightDecay: 0 })).toThrow(
        "learningRate: expected a finite number of at least 0, got NaN",
      );
      expect(params.a.isDisposed).toBe(false);
    },
  );
});

/** The parameter's values after two steps, the second with twice the first's settings. */
function run<S>(optimizer: Optimizer<S>): Float32Array {
  let params: Params = { weight: wave([3, 4], 3) };
  let state = optimizer.init(params);
  for (const s of [0, 1]) {
    const at = { learningRate: 0.01 * (s + 1), weightDecay: 0.04 * (s + 1) };
    ({ params, state } = optimizer.update(params, { weight: wave([3, 4], 5 + s) }, state, at));
  }
  return (params.weight as tf.Tensor).dataSync() as Float32Array;
}

function moments({ moment1, moment2 }: AdamWState): Params[] {
  return [moment1, moment2];
}

/** Element i is sin(0.7 i + 1.3 s). */
function wave(shape: number[], s: number): tf.Tensor {
  const length = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Array.from({ length }, (_, i) => Math.sin(0.7 * i + 1.3 * s)),
    shape,
  );
}

function entries(
  shapes: Readonly<Record<string, number[]>>,
  make: (shape: number[]) => tf.Tensor,
): Params {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, make(shape)]));
}
