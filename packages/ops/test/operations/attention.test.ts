import {
  attention,
  attentionBlock,
  attentionWeights,
  classAttentionBlock,
  mlpBlock,
  rowsOf,
  type Segment,
  sequencesOf,
} from "@dino/ops";
import { expectNoLeak, named, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { expectAgreement, type Tensors, testDifferential } from "../differential.ts";
import * as reference from "../reference/attention.ts";
import type { Values } from "../reference/linear.ts";

const several: readonly Segment[] = [
  { sequences: 2, tokens: 3 },
  { sequences: 3, tokens: 1 },
  { sequences: 1, tokens: 4 },
];
const one: readonly Segment[] = [{ sequences: 1, tokens: 1 }];
const cases: readonly (readonly [dim: number, heads: number, segments: readonly Segment[]])[] = [
  [10, 2, several], // heads of width 5
  [6, 6, several], // of width 1
  [4, 1, one],
  [6, 2, [{ sequences: 1, tokens: 7 }]],
  [8, 2, [{ sequences: 5, tokens: 2 }]],
];

const attentionShapes = (dim: number) => ({
  "norm1.weight": [dim],
  "norm1.bias": [dim],
  "attn.qkv.weight": [3 * dim, dim],
  "attn.qkv.bias": [3 * dim],
  "attn.proj.weight": [dim, dim],
  "attn.proj.bias": [dim],
});

const longAndShort: readonly Segment[] = [
  { sequences: 2, tokens: 41 },
  { sequences: 3, tokens: 2 },
];

onEveryBackend(
  () => {
    for (const [dim, heads, segments] of cases) {
      const [rows, count] = [rowsOf(segments), sequencesOf(segments)];
      const kind = `of width ${dim}, ${heads} heads, ${count} sequences, ${rows} rows`;

      testDifferential(`attention ${kind}`, {
        inputs: { qkv: [rows, 3 * dim] },
        range: 2,
        run: ({ qkv }) => attention(qkv, { heads, segments }),
        reference: ({ qkv }) => reference.attention(qkv as Values, dim, heads, segments),
      });

      for (const pathScale of [undefined, reference.range(count).map((i) => (i % 2 ? 1.25 : 0))]) {
        const dropped = pathScale ? ", paths dropped" : "";
        const scale = (): { pathScale?: tf.Tensor1D } =>
          pathScale ? { pathScale: tf.tensor1d(pathScale) } : {};

        testDifferential(`attention half ${kind}${dropped}`, {
          inputs: { x: [rows, dim], ...attentionShapes(dim) },
          run: (p) => tf.tidy(() => attentionBlock(p, p.x, { heads, segments, ...scale() })),
          reference: (v) => reference.attentionBlock(v, { dim, heads, segments, pathScale }),
        });

        testDifferential(`attention half for class tokens ${kind}${dropped}`, {
          inputs: { x: [rows, dim], ...attentionShapes(dim) },
          run: (p) => tf.tidy(() => classAttentionBlock(p, p.x, { heads, segments, ...scale() })),
          reference: (v) =>
            reference.firstRows(
              reference.attentionBlock(v, { dim, heads, segments, pathScale }),
              dim,
              segments,
            ),
        });

        testDifferential(`MLP half ${kind}${dropped}`, {
          inputs: {
            x: [rows, dim],
            "norm2.weight": [dim],
            "norm2.bias": [dim],
            "mlp.fc1.weight": [dim + 3, dim],
            "mlp.fc1.bias": [dim + 3],
            "mlp.fc2.weight": [dim, dim + 3],
            "mlp.fc2.bias": [dim],
          },
          run: (p) => tf.tidy(() => mlpBlock(p, p.x, { segments, ...scale() })),
          reference: (v) => reference.mlpBlock(v, { dim, segments, pathScale }),
        });
      }
    }

    testDifferential("attention of long and short sequences together", {
      inputs: { qkv: [2 * 41 + 3 * 2, 3 * 64] },
      isLarge: true,
      run: ({ qkv }) => attention(qkv, { heads: 2, segments: longAndShort }),
      reference: ({ qkv }) => reference.attention(qkv as Values, 64, 2, longAndShort),
    });

    testDifferential("attention half for class tokens of long and short sequences", {
      inputs: { x: [rowsOf(longAndShort), 32], ...attentionShapes(32) },
      isLarge: true,
      run: (p) => classAttentionBlock(p, p.x, { heads: 2, segments: longAndShort }),
      reference: (v) =>
        reference.firstRows(
          reference.attentionBlock(v, { dim: 32, heads: 2, segments: longAndShort }),
          32,
          longAndShort,
        ),
    });

    test.each([
      [10, 2, 3, 4],
      [5, 1, 1, 1],
    ])("attention weights of width %i, %i heads", async (dim, heads, sequences, tokens) => {
      const qkv = named<tf.Tensor2D>("weights", [sequences * tokens, 3 * dim]);
      const actual = attentionWeights(qkv, { heads, sequences, tokens });
      expect(actual.shape).toEqual([sequences, heads, tokens, tokens]);
      const values = Float64Array.from(await qkv.data());
      const expected = reference.attentionWeights(values, dim, heads, { sequences, tokens });
      expectAgreement("weights", await actual.data(), expected);
      expectNoLeak(() => attentionWeights(qkv, { heads, sequences, tokens }));
    });
  },
  { waits: true },
);

test("says what does not fit", () => {
  const x = tf.ones<tf.Rank.R2>([3, 10]);
  const segments = [{ sequences: 1, tokens: 3 }];
  expect(() => attention(tf.ones([3, 10]), { heads: 2, segments })).toThrow(
    "qkv: expected a width divisible by 3 * 2 heads, got 10",
  );
  expect(() => attention(tf.ones([4, 12]), { heads: 2, segments })).toThrow(
    "qkv: expected shape [3, *], got [4, 12]",
  );
  for (const half of [attentionBlock, classAttentionBlock]) {
    expect(() => half({}, x, { heads: 3, segments })).toThrow(
      "x: expected a width divisible by 3 heads, got 10",
    );
  }
  expect(() => attentionBlock({}, x, { heads: 2, segments })).toThrow(
    "norm1.weight: expected a parameter of this name, got no parameters at all",
  );
  expect(() => mlpBlock({}, x, { segments, pathScale: tf.ones([2]) })).toThrow(
    "pathScale: expected shape [1], got [2]",
  );
  const params: Tensors = {
    "norm2.weight": tf.ones([10]),
    "norm2.bias": tf.ones([10]),
    "mlp.fc1.weight": tf.ones([20, 10]),
    "mlp.fc1.bias": tf.ones([20]),
    "mlp.fc2.weight": tf.ones([10, 19]),
    "mlp.fc2.bias": tf.ones([10]),
  };
  expect(() => mlpBlock(params, x, { segments })).toThrow(
    "mlp.fc2.weight: expected shape [10, 20], got [10, 19]",
  );
});
