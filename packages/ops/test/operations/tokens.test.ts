import { classTokens, patchEmbed, resample } from "@dino/ops";
import { named, namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { testDifferential } from "../differential.ts";
import type { Values } from "../reference/linear.ts";
import * as reference from "../reference/tokens.ts";

const pictures = [
  { pictures: 2, rows: 9, columns: 14, channels: 3, patch: 4 }, // remainders on both sides
  { pictures: 1, rows: 6, columns: 3, channels: 3, patch: 3 },
  { pictures: 3, rows: 2, columns: 2, channels: 3, patch: 2 }, // one patch each
  { pictures: 1, rows: 3, columns: 4, channels: 1, patch: 1 },
] as const;

const segments = [
  { sequences: 2, tokens: 3 },
  { sequences: 3, tokens: 1 },
] as const;

onEveryBackend(
  () => {
    for (const picture of pictures) {
      const { rows, columns, channels, patch } = picture;
      const dim = 5;
      const shape = [picture.pictures, rows, columns, channels] as const;
      const count = Math.floor(rows / patch) * Math.floor(columns / patch);
      const params = {
        weight: [dim, channels, patch, patch],
        bias: [dim],
        classToken: [1, 1, dim],
        positions: [1 + count, dim],
      };
      const kind = `of [${shape}], patch ${patch}`;

      testDifferential(`patch embedding ${kind}`, {
        inputs: params,
        run: (p) => tf.tidy(() => patchEmbed(named(kind, shape), p as never)),
        reference: (v) =>
          reference.patchEmbed(
            Float64Array.from(namedValues(kind, tf.util.sizeFromShape([...shape]))),
            v,
            picture,
          ),
      });

      testDifferential(`patch embedding ${kind}, down to the pixels`, {
        inputs: { ...params, images: shape },
        run: (p) => patchEmbed(p.images, p as never, { pixelGradients: true }),
        reference: (v) => reference.patchEmbed(v.images as Values, v, picture),
      });
    }

    testDifferential("class tokens of several segments", {
      inputs: { x: [9, 5] },
      run: ({ x }) => classTokens(x, segments),
      reference: ({ x }) => reference.classTokens(x as Values, 5, segments),
    });

    testDifferential("class tokens of one segment", {
      inputs: { x: [6, 1] },
      run: ({ x }) => classTokens(x, [{ sequences: 2, tokens: 3 }]),
      reference: ({ x }) => reference.classTokens(x as Values, 1, [{ sequences: 2, tokens: 3 }]),
    });

    testDifferential("resampling", {
      inputs: { x: [9, 5] },
      run: ({ x }) => tf.tidy(() => resample(x, named("matrix", [4, 9]))),
      reference: ({ x }) => reference.product(namedValues("matrix", 36), x as Values, 9),
    });
  },
  { waits: true },
);

test("says what does not fit", () => {
  const params = {
    weight: tf.ones<tf.Rank.R4>([5, 3, 4, 4]),
    bias: tf.ones<tf.Rank.R1>([5]),
    classToken: tf.ones<tf.Rank.R3>([1, 1, 5]),
    positions: tf.ones<tf.Rank.R2>([4, 5]),
  };
  expect(() => patchEmbed(tf.ones([1, 3, 8, 3]), params)).toThrow(
    "images: expected at least 4 x 4 pixels, got 3 x 8",
  );
  expect(() => patchEmbed(tf.ones([1, 8, 8, 1]), params)).toThrow(
    "images: expected shape [*, *, *, 3], got [1, 8, 8, 1]",
  );
  expect(() => patchEmbed(tf.ones([1, 8, 8, 3]), params)).toThrow(
    "positions: expected shape [5, 5], got [4, 5]",
  );
  expect(() => classTokens(tf.ones([4, 5]), segments)).toThrow(
    "x: expected shape [9, *], got [4, 5]",
  );
  expect(() => resample(tf.ones([4, 5]), tf.ones([2, 3]))).toThrow(
    "matrix: expected shape [*, 4], got [2, 3]",
  );
});
