import { repairBackend } from "@dino/ops";
import { expectNoLeak, named, namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { expectAgreement, testDifferential } from "../differential.ts";
import * as reference from "../reference/convolution.ts";
import { activations, at, linear, type Values } from "../reference/linear.ts";
import { product } from "../reference/tokens.ts";

/** Plain tfjs operations that a stock backend lacks or gets wrong. */
onEveryBackend(
  (backend) => {
    beforeAll(() => repairBackend(backend));

    test("adds many tensors at once", async () => {
      const numbers = Array.from({ length: 60 }, (_, i) => i);
      const sum = tf.tidy(() => tf.addN(numbers.map((i) => tf.tensor1d([i, 1]))));
      expect([...(await sum.data())]).toEqual([1770, 60]);
      const ones = numbers.map(() => tf.ones([3]));
      expectNoLeak(() => tf.addN(ones));
    });

    for (const [padding, stride] of [
      ["same", 1],
      [1, 1],
      [1, 2],
    ] as const) {
      testDifferential(`conv2d, padding ${padding}, stride ${stride}`, {
        inputs: { x: [2, 5, 7, 3], filter: [3, 3, 3, 2] },
        run: ({ x, filter }) => tf.conv2d(x, filter, stride, padding),
        reference: ({ x, filter }) =>
          reference.conv2d(
            x as Values,
            turned(filter as Values, [9, 3, 2]),
            { pictures: 2, rows: 5, columns: 7, channels: 3 },
            { size: [3, 3], stride, padding: 1 },
          ),
      });
    }

    for (const [multiplier, stride] of [
      [1, 1],
      [2, 2],
    ] as const) {
      testDifferential(`depthwise conv2d, ${multiplier} kernels a channel, stride ${stride}`, {
        inputs: { x: [2, 5, 7, 3], filter: [3, 3, 3, multiplier] },
        run: ({ x, filter }) => tf.depthwiseConv2d(x, filter, stride, 1),
        reference: ({ x, filter }) =>
          reference.depthwiseConv2d(
            x as Values,
            filter as Values,
            { pictures: 2, rows: 5, columns: 7, channels: 3 },
            { size: [3, 3], stride, padding: 1 },
          ),
      });
    }

    for (const [pad, padding] of [
      ["valid", 0],
      [1, 1],
    ] as const) {
      testDifferential(`max pooling of values below zero, padding ${pad}`, {
        inputs: { x: [2, 7, 5, 3] },
        run: ({ x }) => tf.tidy(() => tf.maxPool(tf.sub(x, 10), 3, 2, pad)),
        reference: ({ x }) =>
          reference.maxPool2d(
            (x as Values).map((value) => value - 10),
            { pictures: 2, rows: 7, columns: 5, channels: 3 },
            { size: [3, 3], stride: 2, padding },
          ),
      });
    }

    testDifferential("gather", {
      inputs: { x: [4, 3] },
      run: ({ x }) => tf.tidy(() => tf.gather(x, tf.tensor1d([2, 0, 2], "int32"))),
      reference: ({ x }) =>
        Float64Array.from(
          [2, 0, 2].flatMap((row) => [...(x as Values).subarray(row * 3, row * 3 + 3)]),
        ),
    });

    test("cumsum from the end", async () => {
      const sums = tf.cumsum(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), -1);
      expect([...(await sums.data())]).toEqual([1, 3, 6, 4, 9, 15]);
    });

    test("einsum", async () => {
      const [a, b] = [named("einsum a", [3, 4]), named("einsum b", [5, 4])];
      const expected = linear(await values(a), await values(b), undefined, 4);
      expectAgreement("product", await tf.einsum("ij,kj->ik", a, b).data(), expected);
      expectNoLeak(() => tf.einsum("ij,kj->ik", a, b));
    });

    for (const [transposeA, transposeB, batch] of [
      [false, false, 1],
      [false, true, 1],
      [true, false, 1],
      [true, true, 1],
      [false, false, 2],
      [false, true, 2],
      [true, false, 2],
    ] as const) {
      const kind = `${transposeA ? "aᵀ" : "a"} ${transposeB ? "bᵀ" : "b"}, batch ${batch}`;

      // 100 inner values are more than one block of the stock kernel; 7 and 9 are less than a tile.
      for (const [rows, inner, columns] of [
        [7, 100, 9],
        [9, 3, 7],
        [1, 5, 1],
      ] as const) {
        test(`products ${kind}, ${rows} x ${inner} x ${columns}`, async () => {
          const a = named(`a ${kind}`, [batch, ...turn([rows, inner], transposeA)]);
          const b = named(`b ${kind}`, [batch, ...turn([inner, columns], transposeB)]);
          const bias = named<tf.Tensor1D>("bias", [columns]);
          const expected = await products(a, b, transposeA, transposeB, [rows, inner, columns]);
          const actual = tf.matMul(a, b, transposeA, transposeB);
          expect(actual.shape).toEqual([batch, rows, columns]);
          expectAgreement("product", await actual.data(), expected);

          const options = { a, b, transposeA, transposeB, bias, activation: "relu" } as const;
          const added = namedValues("bias", columns);
          expectAgreement(
            "fused",
            await tf.fused.matMul(options).data(),
            expected.map((value, i) => activations.relu(value + at(added, i % columns))),
          );
          expectNoLeak(() => tf.matMul(a, b, transposeA, transposeB));
          expectNoLeak(() => tf.fused.matMul(options));
        });
      }
    }

    test("large products of a batch", async () => {
      const [a, b] = [named("large a", [1, 2, 101, 100]), named("large b", [1, 2, 103, 100])];
      const actual = tf.matMul(a, b, false, true);
      expect(actual.shape).toEqual([1, 2, 101, 103]);
      const expected = await products(a, b, false, true, [101, 100, 103]);
      expectAgreement("product", await actual.data(), expected);
      expectNoLeak(() => tf.matMul(a, b, false, true));
    });

    test("a right operand and its reshaping are two matrices", async () => {
      const b = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      expect([...(await tf.matMul(tf.ones([1, 2]), b).data())]).toEqual([5, 7, 9]);
      const reshaped = tf.reshape(b, [3, 2]) as tf.Tensor2D;
      expect([...(await tf.matMul(tf.ones([1, 3]), reshaped).data())]).toEqual([9, 12]);
      const fused = tf.fused.matMul({ a: tf.ones<tf.Rank.R2>([1, 3]), b: reshaped });
      expect([...(await fused.data())]).toEqual([9, 12]);
      expectNoLeak(() => tf.tidy(() => tf.matMul(tf.ones([1, 3]), reshaped)));
    });

    if (backend === "wasm") {
      test("packed right operands go with their tensors", () => {
        const heap = () =>
          (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
        const a = tf.ones<tf.Rank.R2>([1, 1000]);
        const multiply = () => tf.tidy(() => void tf.matMul(a, tf.ones([1000, 1000])));
        multiply();
        const before = heap();
        for (let i = 0; i < 30; i++) multiply(); // 240 MB, were they kept
        expect(heap()).toBeLessThanOrEqual(before);
      });
    }

    test.each([
      [[13, 5], 0],
      [[4, 3], 0],
      [[1, 3], 0],
      [[13, 5], 1],
      [[2, 3, 4], 0],
    ] as const)("the sum of %j over axis %i", async (shape, axis) => {
      const x = named("sum", shape);
      const before = shape.slice(0, axis).reduce<number>((a, b) => a * b, 1);
      const size = shape[axis] as number;
      const after = tf.util.sizeFromShape(shape.slice(axis + 1));
      const expected = new Float64Array(before * after);
      (await values(x)).forEach((value, i) => {
        const place = Math.floor(i / (size * after)) * after + (i % after);
        expected[place] = at(expected, place) + value;
      });
      expectAgreement("sum", await tf.sum(x, axis).data(), expected);
    });

    test.each([
      [
        [2, 3, 4],
        [1, 0, 2],
      ],
      [
        [2, 3, 4],
        [2, 1, 0],
      ],
      [
        [5, 4],
        [1, 0],
      ],
      [
        [2, 3, 1, 2, 5],
        [2, 0, 3, 1, 4],
      ],
      [
        [3, 2, 2, 4, 1],
        [1, 3, 0, 2, 4],
      ],
    ])("the transpose of %j to %j", async (shape, perm) => {
      const x = named("transpose", shape);
      const turnedX = tf.transpose(x, perm);
      const expected = await values(x);
      const strides = shape.map((_, axis) => tf.util.sizeFromShape(shape.slice(axis + 1)));
      (await turnedX.data()).forEach((value, i) => {
        const place = tf.util.indexToLoc(i, shape.length, tf.util.computeStrides(turnedX.shape));
        const from = perm.reduce((sum, axis, k) => sum + at(place, k) * at(strides, axis), 0);
        expect(value).toBe(Math.fround(at(expected, from)));
      });
    });

    test("slices of whole rows and of parts of them", async () => {
      const x = tf.reshape(tf.range(0, 24), [2, 3, 4]);
      expect([...(await tf.slice(x, 1, 1).data())]).toEqual(
        [...Array(12).keys()].map((i) => i + 12),
      );
      const part = tf.slice(x, [0, 1, 2], [2, 2, 1]);
      expect([...(await part.data())]).toEqual([6, 10, 18, 22]);
      expect([...(await tf.slice(x, [1, 1], [1, 1]).data())]).toEqual([16, 17, 18, 19]);
    });

    test("every picture of a batch is transformed", async () => {
      const images = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2, 1]);
      const left = tf.tensor2d([1, 0, 1, 0, 1, 0, 0, 0], [1, 8]); // one column to the left
      expect([...(await tf.image.transform(images, left).data())]).toEqual([
        2, 0, 4, 0, 6, 0, 8, 0,
      ]);
    });

    test("the gradient of resizeBilinear has the shape of the pictures", async () => {
      const slope = tf.grad((x) => tf.sum(tf.image.resizeBilinear(x as tf.Tensor4D, [4, 6])));
      const gradient = slope(tf.ones([1, 2, 3, 1]));
      expect(gradient.shape).toEqual([1, 2, 3, 1]);
      expect((await values(gradient)).reduce((sum, value) => sum + value, 0)).toBeCloseTo(24, 4);
    });
  },
  { waits: true },
);

/** `[places, in, out]` as `[out, in, places]`. */
function turned(filter: Values, [places, inputs, out]: readonly [number, number, number]): Values {
  return filter.map((_, i) => {
    const place = i % places;
    const input = Math.floor(i / places) % inputs;
    return at(filter, (place * inputs + input) * out + Math.floor(i / (places * inputs)));
  });
}

function turn<T>([first, second]: readonly [T, T], whether: boolean): [T, T] {
  return whether ? [second, first] : [first, second];
}

async function values(x: tf.Tensor): Promise<Values> {
  return Float64Array.from(await x.data());
}

/** Every product of a batch, by loops. */
async function products(
  a: tf.Tensor,
  b: tf.Tensor,
  transposeA: boolean,
  transposeB: boolean,
  [rows, inner, columns]: readonly [number, number, number],
): Promise<Values> {
  const [left, right] = [await values(a), await values(b)];
  const batch = left.length / (rows * inner);
  const matrix = (all: Values, i: number, down: number, across: number, isTurned: boolean) => {
    const part = all.subarray(i * down * across, (i + 1) * down * across);
    return isTurned
      ? part.map((_, k) => at(part, (k % across) * down + Math.floor(k / across)))
      : part;
  };
  return Float64Array.from(
    Array.from({ length: batch }, (_, i) => {
      const one = matrix(left, i, rows, inner, transposeA);
      return [...product(one, matrix(right, i, inner, columns, transposeB), inner)];
    }).flat(),
  );
}
