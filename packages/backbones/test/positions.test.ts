import { resizePositions, vit } from "@dino/backbones/vit";
import { key, random } from "@dino/random";
import { expectClose, expectNoLeak, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cubicWeights } from "../src/vit/positions.ts";

const size = fc.integer({ min: 1, max: 60 });

test("each sample's weights sum to 1", () => {
  fc.assert(
    fc.property(size, size, (to, from) => {
      const weights = cubicWeights(to, from);
      for (let i = 0; i < to; i++) {
        const sum = weights.subarray(i * from, (i + 1) * from).reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(1, 5);
      }
    }),
  );
});

test("samples far from the edges reproduce a straight line", () => {
  fc.assert(
    fc.property(size, fc.integer({ min: 8, max: 60 }), (to, from) => {
      const weights = cubicWeights(to, from);
      for (let i = 0; i < to; i++) {
        const source = ((i + 0.5) * from) / (to + 0.1) - 0.5;
        if (source < 1 || source > from - 3) continue;
        const row = Array.from(weights.subarray(i * from, (i + 1) * from));
        const value = row.reduce((sum, weight, j) => sum + weight * j, 0);
        // This kernel bends a line by up to 0.04 of a step.
        expect(Math.abs(value - source)).toBeLessThan(0.05);
      }
    }),
  );
});

test("the same size is not quite the identity: the scale carries a tenth of a patch", () => {
  const weights = cubicWeights(14, 14);
  expect(weights[0]).not.toBe(1);
  expect(weights[0]).toBeCloseTo(1, 1);
});

onEveryBackend(() => {
  test("positions for another size give the features that interpolation gives there", () => {
    const sizes = { embedDim: 12, depth: 1, heads: 3, patchSize: 4 };
    const small = vit({ ...sizes, imageSize: 16 });
    const large = vit({ ...sizes, imageSize: 24 });
    const params = small.init(random(key(3)));
    const images = tf.randomUniform([2, 24, 24, 3], -1, 1, "float32", 5) as tf.Tensor4D;
    const resize = () =>
      resizePositions(params.pos_embed as tf.Tensor3D, { imageSize: 24, patchSize: 4 });
    const resized = { ...params, pos_embed: resize() };
    expect(resized.pos_embed.shape).toEqual(large.parameterShapes.pos_embed);
    expectClose(large.forward(resized, images), small.forward(params, images).dataSync());
    expectNoLeak(resize);
  });

  test("positions of the same size are the same", () => {
    const positions = tf.randomNormal([1, 17, 6]) as tf.Tensor3D;
    const same = resizePositions(positions, { imageSize: 16, patchSize: 4 });
    expectClose(same, positions.dataSync(), 0);
  });
});
