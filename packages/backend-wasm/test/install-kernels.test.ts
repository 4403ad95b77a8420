import { hostInstructions, installKernels, withSharedMemory } from "@dino/backend-wasm";
import { adamW, kernel, linear } from "@dino/ops";
import { backends, expectNoLeak, named } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

// Of the tests' backends, wasm is registered where they are looked for.
expect(backends).toContain("wasm");

test("needs tfjs's backend, initialised", async () => {
  const initialised = tf.findBackend("wasm");
  if (initialised === null) {
    await expect(installKernels()).rejects.toThrow(
      "wasm kernels: expected tfjs's backend wasm, initialised, got none",
    );
  }
  expect(hostInstructions()).toMatch(/^(relaxed )?SIMD$/);
});

describe("with the kernels", () => {
  let restore = () => {};

  beforeAll(async () => {
    await withSharedMemory(() => tf.setBackend("wasm"));
    const installed = await installKernels({ threads: 2, partTime: 0 });
    expect(installed).toMatchObject({ threads: 2 });
    ({ restore } = installed);
  });

  afterAll(async () => {
    restore();
    await tf.setBackend("cpu");
  });

  const sizes = [
    [1, 1, 1],
    [3, 5, 7],
    [17, 33, 19],
    [8, 16, 48],
    [1, 100, 1],
    [2, 0, 3],
    [0, 2, 3],
    [100, 300, 530], // more than a block each way
  ] as const;
  const batches = [
    [[], []],
    [[3], [3]],
    [[4], [1]],
    [
      [2, 1],
      [1, 3],
    ],
  ] as const;

  test.each(sizes)("products of %i x %i x %i", async (rows, inner, columns) => {
    // The largest one is enough by itself.
    for (const [aBatch, bBatch] of rows === 100 ? batches.slice(0, 1) : batches) {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const a = named("a", [...aBatch, ...(transposeA ? [inner, rows] : [rows, inner])]);
          const b = named("b", [...bBatch, ...(transposeB ? [columns, inner] : [inner, columns])]);
          const product = tf.matMul(a, b, transposeA, transposeB);
          const outer = tf.broadcast_util.assertAndGetBroadcastShape([...aBatch], [...bBatch]);
          expect(product.shape).toEqual([...outer, rows, columns]);
          const wide = (x: tf.Tensor, batch: readonly number[], turn: boolean) => {
            const plain = turn ? tf.transpose(x, swapLast(x.rank)) : x;
            const shape = [...outer.map(() => 1), ...plain.shape.slice(-2)];
            shape.splice(outer.length - batch.length, batch.length, ...batch);
            return tf.broadcastTo(tf.reshape(plain, shape), [...outer, ...plain.shape.slice(-2)]);
          };
          const [left, right] = [wide(a, aBatch, transposeA), wide(b, bBatch, transposeB)];
          expectSame(
            await product.data(),
            products(await left.data(), await right.data(), [rows, inner, columns]),
          );
          tf.dispose([a, b, product, left, right]);
        }
      }
    }
  });

  test("a product of no leading sizes that fit is refused", () => {
    expect(() => tf.matMul(tf.zeros([2, 3, 4]), tf.zeros([3, 4, 5]))).toThrow();
  });

  const plain = { linear: (x: tf.Tensor) => tf.clone(x), relu: tf.relu, sigmoid: tf.sigmoid };

  test.each(["linear", "relu", "sigmoid"] as const)(
    "fused, with bias and %s",
    async (activation) => {
      const [a, b] = [named<tf.Tensor2D>("a", [9, 5]), named<tf.Tensor2D>("b", [11, 5])];
      const bias = named<tf.Tensor1D>("bias", [11]);
      const fused = tf.fused.matMul({ a, b, transposeB: true, bias, activation });
      const sum = tf.add(tf.matMul(a, b, false, true), bias);
      const whole = plain[activation](sum);
      expectSame(await fused.data(), await whole.data());
      tf.dispose([a, b, bias, fused, sum, whole]);
    },
  );

  test("a weight that was updated in place is not multiplied as it was", async () => {
    const x = named<tf.Tensor4D>("x", [1, 4, 4, 3]);
    const filter = named<tf.Tensor4D>("filter", [1, 1, 3, 5]);
    const convolved = (filter: tf.Tensor4D) =>
      tf.fused.conv2d({ x, filter, strides: 1, pad: "valid" }).data();
    const before = await convolved(filter); // XNNPACK packs the filter
    const { parameter } = adamW(
      {
        parameter: filter,
        gradient: tf.onesLike(filter),
        moment1: tf.zerosLike(filter),
        moment2: tf.zerosLike(filter),
      },
      { learningRate: 1, weightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 0, step: 1 },
    );
    const after = await convolved(parameter as tf.Tensor4D);
    const same = tf.tensor4d(await parameter.data(), filter.shape);
    expectSame(after, await convolved(same));
    expect(Math.abs((after[0] as number) - (before[0] as number))).toBeGreaterThan(0.1);
  });

  test.each([
    ["a reshaping", (x: tf.Tensor) => tf.reshape(x, [6])],
    ["a clone", (x: tf.Tensor) => tf.clone(x)],
  ])("an update leaves %s alone, which shares the memory", async (_, share) => {
    const parameter = tf.ones([2, 3]);
    const shared = share(parameter);
    const zeros = () => tf.zeros([2, 3]);
    const updated = adamW(
      { parameter, gradient: tf.ones([2, 3]), moment1: zeros(), moment2: zeros() },
      { learningRate: 0.5, weightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 0, step: 1 },
    );
    expect([...(await shared.data())]).toEqual([1, 1, 1, 1, 1, 1]);
    expect((await updated.parameter.data())[0]).toBeCloseTo(0.5, 5);
  });

  test.each([
    [
      [5, 7],
      [1, 0],
    ],
    [
      [2, 5, 7],
      [0, 2, 1],
    ],
    [
      [2, 3, 4, 5],
      [2, 3, 0, 1],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 3, 1],
    ],
    [
      [7, 3, 2, 5],
      [2, 3, 1, 0],
    ],
    [
      [7, 3, 2, 5],
      [3, 2, 0, 1],
    ],
    [
      [2, 3, 4, 5],
      [0, 3, 2, 1],
    ],
    [
      [7, 3, 1, 1],
      [2, 3, 1, 0],
    ],
    [
      [1, 3, 1, 5],
      [2, 1, 3, 0],
    ],
    [
      [2, 3, 4, 5],
      [3, 2, 1, 0],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 2, 0],
    ],
    [
      [2, 3, 4],
      [0, 1, 2],
    ],
    [
      [4, 0],
      [1, 0],
    ],
  ] as const)("%j transposed by %j", async (shape, perm) => {
    const x = named("x", shape);
    const y = tf.transpose(x, [...perm]);
    expect(y.shape).toEqual(perm.map((axis) => shape[axis]));
    const values = await x.data();
    const strides = tf.util.computeStrides([...shape]).concat(1);
    const at = (place: number) => {
      const target = tf.util.indexToLoc(place, shape.length, tf.util.computeStrides(y.shape));
      return perm.reduce<number>(
        (sum, axis, i) => sum + (target[i] as number) * (strides[axis] as number),
        0,
      );
    };
    expect([...(await y.data())]).toEqual([...values].map((_, place) => values[at(place)]));
    tf.dispose([x, y]);
  });

  test.each([
    [[13, 5], [0]],
    [[200, 40], [0]],
    [
      [2, 3, 4],
      [0, 1],
    ],
    [
      [2, 3, 4],
      [1, 2],
    ],
    [
      [2, 3, 4],
      [0, 1, 2],
    ],
  ] as const)("the sum of %j over %j", async (shape, axes) => {
    const x = named("x", shape);
    for (const keepDims of [false, true]) {
      const sum = tf.sum(x, [...axes], keepDims);
      const kept = shape.map((size, axis) =>
        (axes as readonly number[]).includes(axis) ? 1 : size,
      );
      const left = shape.filter((_, axis) => !(axes as readonly number[]).includes(axis));
      expect(sum.shape).toEqual(keepDims ? kept : left);
      const sums = new Map<string, number>();
      const strides = tf.util.computeStrides([...shape]);
      (await x.data()).forEach((value, place) => {
        const where = tf.util.indexToLoc(place, shape.length, strides);
        const key = where.filter((_, axis) => !(axes as readonly number[]).includes(axis)).join();
        sums.set(key, (sums.get(key) ?? 0) + value);
      });
      expectSame(await sum.data(), Float64Array.from(sums.values()));
      sum.dispose();
    }
    x.dispose();
  });

  test("softmax of rows, shifted as far as may be", async () => {
    const x = tf.tensor2d([0, 1, 2, 3, 4, 1000, 1001, 1002, 1003, 1004, -1e9, 0, 0, 0, 0], [3, 5]);
    const y = await tf.softmax(x).data();
    const total = [0, 1, 2, 3, 4].reduce((sum, value) => sum + Math.exp(value), 0);
    const row = [0, 1, 2, 3, 4].map((value) => Math.exp(value) / total);
    expectSame(y, Float64Array.from([...row, ...row, 0, 0.25, 0.25, 0.25, 0.25]));
    x.dispose();
  });

  test("what is not a number stays that, in every part of a row", async () => {
    for (const place of [0, 3, 5]) {
      const values = new Float32Array(6).fill(1);
      values[place] = Number.NaN;
      const x = tf.tensor2d(values, [1, 6]);
      const y = linear(x, tf.ones([6, 6]), tf.zeros([6]), { activation: "gelu" });
      expect([...(await y.data())].every(Number.isNaN)).toBe(true);
      expect([...(await tf.softmax(x).data())].some(Number.isNaN)).toBe(true);
      tf.dispose([x, y]);
    }
  });

  test("no kernel keeps memory", () => {
    const heap = () =>
      (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
    const multiply = () =>
      tf.tidy(() => void tf.matMul(tf.ones([1000, 700]), tf.ones([700, 1000])));
    multiply();
    const before = heap();
    for (let i = 0; i < 30; i++) multiply(); // 290 MB, were it kept
    expect(heap()).toBeLessThanOrEqual(before);
    const x = tf.ones([3, 4]);
    expectNoLeak(() => tf.softmax(x));
    expectNoLeak(() => tf.matMul(x, x, false, true));
  });
});

test("the function that installing gives puts everything back", async () => {
  await tf.setBackend("wasm");
  kernel("OnlyHere", () => [tf.scalar(1)]);
  const kernels = () =>
    new Map(tf.getKernelsForBackend("wasm").map((each) => [each.kernelName, each]));
  const before = kernels();
  const { restore } = await installKernels();
  expect(kernels().get("BatchMatMul")).not.toBe(before.get("BatchMatMul"));
  restore();
  const after = kernels();
  for (const [name, config] of before)
    expect(after.get(name)?.kernelFunc, name).toBe(config.kernelFunc);
  await tf.setBackend("cpu");
});

function swapLast(rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, i) => i);
  return [...axes.slice(0, -2), rank - 1, rank - 2];
}

/** Of every pair of matrices, in float64. */
function products(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  [rows, inner, columns]: readonly [number, number, number],
): Float64Array {
  const batch = inner === 0 || rows === 0 ? 0 : a.length / (rows * inner);
  const out = new Float64Array(batch * rows * columns);
  for (let i = 0; i < out.length; i++) {
    const [matrix, row] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows];
    for (let k = 0; k < inner; k++) {
      const left = a[(matrix * rows + row) * inner + k] as number;
      out[i] =
        (out[i] as number) + left * (b[(matrix * inner + k) * columns + (i % columns)] as number);
    }
  }
  return out;
}

function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  const scale = Array.from(expected, Math.abs).reduce((a, b) => Math.max(a, b), 1e-3);
  const worst = Array.from(actual, (value, i) => Math.abs(value - (expected[i] ?? 0)) / scale);
  expect(worst.find(Number.isNaN) ?? Math.max(0, ...worst)).toBeLessThanOrEqual(3e-6);
}
