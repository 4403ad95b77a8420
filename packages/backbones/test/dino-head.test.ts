import { dinoHead, type Head, type HeadOptions } from "@dino/backbones";
import { type Params, valueAndGradients } from "@dino/ops";
import { key, random } from "@dino/random";
import {
  expectClose,
  expectNoLeak,
  golden,
  named,
  namedParameters,
  onEveryBackend,
} from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { expectGolden, type Golden } from "./expect-golden.ts";

interface HeadGolden {
  readonly salt: string;
  readonly in_dim: number;
  readonly out_dim: number;
  readonly hidden_dim: number;
  readonly bottleneck_dim: number;
  readonly cases: readonly {
    readonly args: { use_bn?: boolean; norm_last_layer?: boolean; nlayers?: number; act?: "relu" };
    readonly shapes: Readonly<Record<string, readonly number[]>>;
    readonly out: Golden;
    readonly grad_x: Golden;
    readonly grads: Readonly<Record<string, Golden>>;
    readonly buffers_after: Readonly<Record<string, Golden>>;
    readonly out_eval: Golden;
  }[];
}

const { salt, in_dim, out_dim, hidden_dim, bottleneck_dim, cases } = golden<HeadGolden>("head");
const widths = {
  inputs: in_dim,
  prototypes: out_dim,
  hidden: hidden_dim,
  bottleneck: bottleneck_dim,
};

const headOf = ({ args }: (typeof cases)[number]) =>
  dinoHead({
    ...widths,
    batchNorm: args.use_bn ?? false,
    normLastLayer: args.norm_last_layer ?? true,
    layers: args.nlayers ?? 3,
    activation: args.act ?? "gelu",
  });

test.each(cases)("has the names and shapes of the reference with $args", (c) => {
  expect(Object.entries(headOf(c).parameterShapes)).toEqual(Object.entries(c.shapes));
});

onEveryBackend(() => {
  test.each(cases)("agrees with the reference with $args", (c) => {
    const head = headOf(c);
    const params = namedParameters(`${salt}head.`, head.parameterShapes);
    const x = named<tf.Tensor2D>(`${salt}head.x`, [6, in_dim]);
    const probe = named(`${salt}head.probe`, [6, out_dim]);

    let updates: Params = {};
    const onBuffers = (reported: Params) => {
      updates = { ...updates, ...kept(reported) };
    };
    expectGolden(head.forward(params, x, { onBuffers }), c.out);
    const counted = (name: string) => !name.endsWith("num_batches_tracked");
    expect(Object.keys(updates).sort()).toEqual(head.buffers.filter(counted).sort());
    for (const [name, after] of Object.entries(c.buffers_after)) {
      expectGolden(updates[name] as tf.Tensor, after);
    }

    const { gradients } = valueAndGradients({ ...trained(head, params), x }, ({ x, ...some }) =>
      tf.sum(tf.mul(head.forward({ ...params, ...some }, x as tf.Tensor2D, {}), probe)),
    );
    const { x: toX, ...others } = gradients;
    expectGolden(toX as tf.Tensor, c.grad_x);
    expect(Object.keys(others).sort()).toEqual(Object.keys(c.grads).sort());
    for (const [name, gradient] of Object.entries(c.grads)) {
      const actual = others[name] as tf.Tensor;
      if (!isNormalisedAway(name, head)) expectGolden(actual, gradient);
      else
        expect(largest(actual)).toBeLessThan(
          1e-5 * largest(others[name.replace("bias", "weight")] as tf.Tensor),
        );
    }

    expectGolden(head.forward({ ...params, ...updates }, x), c.out_eval);
  });

  test("agrees with figures computed in double precision", () => {
    const head = dinoHead({ inputs: 12, prototypes: 10, hidden: 16, bottleneck: 8 });
    const names = Object.keys(head.parameterShapes).filter((name) => name.startsWith("mlp."));
    const params = {
      ...Object.fromEntries(
        names.map((name, i) => [name, wave(head.parameterShapes[name] as number[], 20 + i, 0.3)]),
      ),
      "last_layer.weight_g": tf.ones([10, 1]),
      "last_layer.weight_v": wave([10, 8], 27, 0.3),
    };
    const y = head.forward(params, wave([2, 12], 30) as tf.Tensor2D);
    expectClose(
      y,
      [
        -0.5099434819, -0.0917787953, 0.4240782514, 0.7215386822, 0.6658250575, 0.3641081415,
        -0.1174802649, -0.5875458977, -0.7358834198, -0.5696536098, -0.6034158185, -0.1848593602,
        0.3763201027, 0.7451117065, 0.7424740894, 0.4621417788, -0.0369802094, -0.5681757568,
        -0.7843604216, -0.6588669704,
      ],
    );
  });

  test("differs by its activation alone", () => {
    const relu = dinoHead({ ...widths, layers: 2, activation: "relu" });
    const params = relu.init(random(key(0)));
    const x = named<tf.Tensor2D>("x", [3, in_dim]);
    const hidden = tf.relu(tf.matMul(x, params["mlp.0.weight"] as tf.Tensor2D, false, true));
    const y = tf.matMul(hidden, params["mlp.2.weight"] as tf.Tensor2D, false, true);
    const unit = (rows: tf.Tensor) => tf.div(rows, tf.norm(rows, 2, 1, true)) as tf.Tensor2D;
    const last = unit(params["last_layer.weight_v"] as tf.Tensor2D);
    expectClose(relu.forward(params, x), tf.matMul(unit(y), last, false, true).dataSync());
  });

  test("gives cosines", () => {
    const head = dinoHead(widths);
    const params = head.init(random(key(0)));
    const y = head.forward(params, tf.mul(named<tf.Tensor2D>("x", [5, in_dim]), 100));
    expect(tf.max(tf.abs(y)).dataSync()[0]).toBeLessThanOrEqual(1 + 1e-6);
  });

  test.each(["gelu", "relu"] as const)(
    "normalises before %s with batch normalisation",
    (activation) => {
      const head = dinoHead({ ...widths, batchNorm: true, activation });
      const params = head.init(random(key(0)));
      const x = named<tf.Tensor2D>("x", [5, in_dim]);
      // The scale of the features is gone.
      const trained = head.forward(params, x, {});
      expectClose(head.forward(params, tf.mul(x, 10), {}), trained.dataSync(), 1e-2);
      expect(
        tf.max(tf.abs(tf.sub(head.forward(params, x), trained))).dataSync()[0],
      ).toBeGreaterThan(0.01);
    },
  );

  test("counts the batches that its statistics have seen", () => {
    const head = dinoHead({ ...widths, batchNorm: true });
    const params = head.init(random(key(0)));
    const counts: tf.Tensor[] = [];
    head.forward(params, named<tf.Tensor2D>("x", [5, in_dim]), {
      onBuffers: (updates) => {
        const count = Object.entries(updates).find(([name]) => name.endsWith("tracked"));
        counts.push(tf.keep(tf.clone(count?.[1] as tf.Tensor)));
      },
    });
    expect(counts.map((count) => [count.dtype, count.dataSync()[0]])).toEqual([
      ["int32", 1],
      ["int32", 1],
    ]);
    tf.dispose(counts);
  });

  test("leaks no tensors", () => {
    const x = named<tf.Tensor2D>("x", [5, in_dim]);
    for (const batchNorm of [false, true]) {
      const head = dinoHead({ ...widths, batchNorm });
      const params = head.init(random(key(0)));
      expectNoLeak(() => head.forward(params, x));
      expectNoLeak(() => head.forward(params, x, { onBuffers: () => {} }));
      expectNoLeak(() => ({ ...head.init(random(key(0))) }));
      const run = () => {
        const { value, gradients } = valueAndGradients(trained(head, params), (some) =>
          tf.sum(tf.square(head.forward({ ...params, ...some }, x, {}))),
        );
        return [value, { ...gradients }];
      };
      run();
      expectNoLeak(run);
    }
  });

  test("names what is wrong", () => {
    const head = dinoHead({ ...widths, batchNorm: true });
    const params = head.init(random(key(0)));
    expect(() => head.forward(params, tf.zeros([2, in_dim + 1]))).toThrow(
      `x: expected shape [*, ${in_dim}], got [2, ${in_dim + 1}]`,
    );
    expect(() => head.forward(params, tf.zeros([1, in_dim]), {})).toThrow(
      "x: expected at least 2 rows for batch normalisation in training, got 1",
    );
    const { "mlp.0.weight": _, ...others } = params;
    expect(() => head.forward(others, tf.zeros([2, in_dim]))).toThrow("mlp.0.weight");
  });
});

test("begins as the reference does", () => {
  const head = dinoHead({
    inputs: 64,
    prototypes: 100,
    hidden: 96,
    bottleneck: 16,
    batchNorm: true,
  });
  const params = head.init(random(key(0)));
  expect(Object.keys(params)).toEqual(Object.keys(head.parameterShapes));
  const std = (name: string) =>
    Math.sqrt(tf.moments(params[name] as tf.Tensor).variance.dataSync()[0] as number);
  expect(std("mlp.0.weight")).toBeCloseTo(0.02, 3);
  expect(std("last_layer.weight_v")).toBeCloseTo(0.25 / Math.sqrt(3), 2);
  const all = (name: string) => new Set((params[name] as tf.Tensor).dataSync());
  expect(all("last_layer.weight_g")).toEqual(new Set([1]));
  expect(all("mlp.0.bias")).toEqual(new Set([0]));
  expect(all("mlp.1.weight")).toEqual(new Set([1]));
  expect(all("mlp.1.running_var")).toEqual(new Set([1]));
  expect(all("mlp.1.running_mean")).toEqual(new Set([0]));
  expect(params["mlp.1.num_batches_tracked"]?.dtype).toBe("int32");
});

test("says what is not trained", () => {
  expect(dinoHead(widths)).toMatchObject({ frozen: ["last_layer.weight_g"], buffers: [] });
  expect(dinoHead({ ...widths, normLastLayer: false }).frozen).toEqual([]);
  expect(dinoHead({ ...widths, batchNorm: true, layers: 2 }).buffers).toEqual([
    "mlp.1.running_mean",
    "mlp.1.running_var",
    "mlp.1.num_batches_tracked",
  ]);
});

test.each([
  [192, 21_958_912],
  [384, 22_352_128],
  [768, 23_138_560],
  [2048, 25_760_000],
])("has as many parameters as the reference's for features of %i", (inputs, expected) => {
  const shapes = Object.values(dinoHead({ inputs, prototypes: 65_536 }).parameterShapes);
  expect(shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(expected);
});

test("refuses widths that make no sense", () => {
  const make = (options: Partial<HeadOptions>) => () => dinoHead({ ...widths, ...options });
  expect(make({ layers: 0 })).toThrow(new RangeError("layers: expected a positive integer, got 0"));
  expect(make({ prototypes: 1.5 })).toThrow("prototypes: expected a positive integer, got 1.5");
});

function trained(
  head: { frozen: readonly string[]; buffers: readonly string[] },
  params: Params,
): Params {
  const fixed = new Set([...head.frozen, ...head.buffers]);
  return Object.fromEntries(Object.entries(params).filter(([name]) => !fixed.has(name)));
}

/**
 * A bias whose effect batch normalisation takes away: its gradient is zero in exact arithmetic,
 * and rounding in both implementations.
 */
function isNormalisedAway(name: string, head: Head): boolean {
  const layer = Number(/^mlp\.(\d+)\.bias$/.exec(name)?.[1]);
  return `mlp.${layer + 1}.running_mean` in head.parameterShapes;
}

const largest = (x: tf.Tensor) => tf.max(tf.abs(x)).dataSync()[0] as number;

function kept(params: Params): Params {
  return Object.fromEntries(
    Object.entries(params).map(([name, x]) => [name, tf.keep(tf.clone(x))]),
  );
}

/** Element i is amplitude * sin(0.7 i + 1.3 s). */
function wave(shape: readonly number[], s: number, amplitude = 1): tf.Tensor {
  const length = tf.util.sizeFromShape([...shape]);
  const values = Array.from({ length }, (_, i) => amplitude * Math.sin(0.7 * i + 1.3 * s));
  return tf.tensor(values, [...shape]);
}
