import { conv2d, maxPool2d } from "@dino/ops";
import { named, namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { testDifferential } from "../differential.ts";
import * as reference from "../reference/convolution.ts";
import type { Values } from "../reference/linear.ts";

const convolutions = [
  [
    { pictures: 2, rows: 6, columns: 9, channels: 3 },
    { out: 4, size: [3, 3], stride: 2, padding: 1 },
  ],
  [
    { pictures: 1, rows: 5, columns: 4, channels: 5 },
    { out: 3, size: [1, 1], stride: 1, padding: 0 },
  ],
  [
    { pictures: 2, rows: 5, columns: 6, channels: 2 },
    { out: 3, size: [1, 1], stride: 2, padding: 0 },
  ],
  [
    { pictures: 1, rows: 9, columns: 7, channels: 3 },
    { out: 2, size: [7, 7], stride: 2, padding: 3 },
  ],
  [
    { pictures: 1, rows: 4, columns: 8, channels: 1 },
    { out: 1, size: [2, 3], stride: 1, padding: 0 },
  ],
  [
    { pictures: 1, rows: 3, columns: 3, channels: 2 },
    { out: 5, size: [3, 3], stride: 1, padding: 1 },
  ],
] as const;

const pools = [
  [
    { pictures: 2, rows: 7, columns: 8, channels: 3 },
    { size: 3, stride: 2, padding: 1 },
  ],
  [
    { pictures: 1, rows: 5, columns: 4, channels: 1 },
    { size: 2, stride: 2, padding: 0 },
  ],
  [
    { pictures: 1, rows: 1, columns: 3, channels: 2 },
    { size: 1, stride: 1, padding: 0 },
  ],
] as const;

onEveryBackend(
  (backend) => {
    for (const [pictures, { out, size, stride, padding }] of convolutions) {
      const shape = [
        pictures.pictures,
        pictures.rows,
        pictures.columns,
        pictures.channels,
      ] as const;
      const window = { size, stride, padding };
      const weight = [out, pictures.channels, ...size] as const;
      const kind = `convolution of [${shape}], kernel [${weight}], stride ${stride}, padding ${padding}`;

      testDifferential(kind, {
        inputs: { x: shape, weight },
        run: ({ x, weight }) => conv2d(x, weight, { stride, padding }),
        reference: ({ x, weight }) =>
          reference.conv2d(x as Values, weight as Values, pictures, window),
      });

      testDifferential(`${kind}, of constant pictures`, {
        inputs: { weight },
        run: ({ weight }) =>
          tf.tidy(() =>
            conv2d(named(kind, shape), weight, { stride, padding, inputGradient: false }),
          ),
        reference: ({ weight }) => {
          const x = Float64Array.from(namedValues(kind, tf.util.sizeFromShape([...shape])));
          return reference.conv2d(x, weight as Values, pictures, window);
        },
      });
    }

    // A GPU shares the sum over so many places among several groups.
    if (backend === "webgpu") {
      testDifferential("convolution of many places", {
        inputs: { x: [2, 21, 20, 3], weight: [5, 3, 3, 3] },
        isLarge: true,
        run: ({ x, weight }) => conv2d(x, weight, { padding: 1 }),
        reference: ({ x, weight }) =>
          reference.conv2d(
            x as Values,
            weight as Values,
            { pictures: 2, rows: 21, columns: 20, channels: 3 },
            { size: [3, 3], stride: 1, padding: 1 },
          ),
      });
    }

    // On wasm the gradients are made from a few pictures at a time.
    if (backend === "wasm") {
      testDifferential("convolution of many pictures", {
        inputs: { x: [5, 24, 24, 32], weight: [1, 32, 7, 7] },
        isLarge: true,
        run: ({ x, weight }) => conv2d(x, weight, { padding: 3 }),
        reference: ({ x, weight }) =>
          reference.conv2d(
            x as Values,
            weight as Values,
            { pictures: 5, rows: 24, columns: 24, channels: 32 },
            { size: [7, 7], stride: 1, padding: 3 },
          ),
      });
    }

    for (const [pictures, { size, stride, padding }] of pools) {
      const shape = [
        pictures.pictures,
        pictures.rows,
        pictures.columns,
        pictures.channels,
      ] as const;
      for (const shift of [0, -10]) {
        testDifferential(
          `max pooling of [${shape}] by ${size}, stride ${stride}, values about ${shift}`,
          {
            inputs: { x: shape },
            run: ({ x }) => tf.tidy(() => maxPool2d(tf.add(x, shift), { size, stride, padding })),
            reference: ({ x }) =>
              reference.maxPool2d(
                (x as Values).map((value) => value + shift),
                pictures,
                { size: [size, size], stride, padding },
              ),
          },
        );
      }
    }

    test("of equal values the first gets the gradient", async () => {
      const slope = tf.grad((x) => tf.sum(maxPool2d(x as tf.Tensor4D, { size: 2 })));
      expect([...(await slope(tf.zeros([1, 2, 4, 1])).data())]).toEqual([1, 0, 1, 0, 0, 0, 0, 0]);
    });
  },
  { waits: true },
);

test("says what does not fit", () => {
  expect(() => conv2d(tf.ones([1, 4, 4, 3]), tf.ones([2, 2, 3, 3]))).toThrow(
    "x: expected shape [*, *, *, 2], got [1, 4, 4, 3]",
  );
  expect(() => conv2d(tf.ones([1, 4, 4, 3]), tf.ones([2, 3, 7, 7]), { padding: 1 })).toThrow(
    "x: expected at least 7 x 7 pixels with padding, got 6 x 6",
  );
  expect(() => maxPool2d(tf.ones([1, 2, 4, 3]), { size: 3 })).toThrow(
    "x: expected at least 3 x 3 pixels with padding, got 2 x 4",
  );
});
