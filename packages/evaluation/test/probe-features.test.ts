import { probeFeatures } from "@dino/evaluation";
import { expectClose, expectNoLeak, named, namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

const [batch, count, dim] = [2, 5, 3];
const size = batch * count * dim;

/** Tokens of three blocks that do not depend on the pictures. */
const backbone = {
  embedDim: dim,
  intermediateTokens: (_: object, __: tf.Tensor4D, { blocks }: { readonly blocks: number }) =>
    [0, 1, 2].slice(3 - blocks).map((i) => named<tf.Tensor3D>(`tokens${i}`, [batch, count, dim])),
};
const images = () => tf.zeros<tf.Rank.R4>([batch, 8, 8, 3]);
const token = (block: number, picture: number, place: number, i: number) =>
  namedValues(`tokens${block}`, size)[(picture * count + place) * dim + i] as number;

onEveryBackend(() => {
  test("takes the class tokens of the last blocks, oldest first", () => {
    const { embedDim, forward } = probeFeatures(backbone, { blocks: 2, averagePool: false });
    expect(embedDim).toBe(6);
    const expected = [0, 1].flatMap((picture) =>
      [1, 2].flatMap((block) => [0, 1, 2].map((i) => token(block, picture, 0, i))),
    );
    const found = forward({}, images());
    expect(found.shape).toEqual([2, 6]);
    expectClose(found, expected);
  });

  test("takes the last class token with the mean of its patches, value by value", () => {
    const { embedDim, forward } = probeFeatures(backbone, { blocks: 1, averagePool: true });
    expect(embedDim).toBe(6);
    const mean = (picture: number, i: number) =>
      [1, 2, 3, 4].reduce((sum, place) => sum + token(2, picture, place, i), 0) / 4;
    const expected = [0, 1].flatMap((picture) =>
      [0, 1, 2].flatMap((i) => [token(2, picture, 0, i), mean(picture, i)]),
    );
    const found = forward({}, images());
    expect(found.shape).toEqual([2, 6]);
    expectClose(found, expected);
  });

  test("keeps no tensor", () => {
    for (const averagePool of [false, true]) {
      const { forward } = probeFeatures(backbone, { blocks: 1, averagePool });
      const pictures = images();
      expectNoLeak(() => forward({}, pictures));
    }
  });
});

test("interleaves as the reference does", () => {
  const tokens = tf.tensor3d([1, 2, 3, 5, 15, 25, 15, 25, 35], [1, 3, 3]);
  const { forward } = probeFeatures(
    { embedDim: 3, intermediateTokens: () => [tf.clone(tokens)] },
    { blocks: 1, averagePool: true },
  );
  expect([...forward({}, images()).dataSync()]).toEqual([1, 10, 2, 20, 3, 30]);
});

test("says what it cannot take", () => {
  expect(() => probeFeatures(backbone, { blocks: 2, averagePool: true })).toThrow(
    "blocks: expected 1 with averagePool, got 2",
  );
  expect(() => probeFeatures(backbone, { blocks: 0, averagePool: false })).toThrow(
    "blocks: expected a whole number from 1, got 0",
  );
});
