import { resnet } from "@dino/backbones/resnet";
import { resnetToOnnx } from "@dino/onnx";
import { expectValues, named, namedParameters, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { runOnnx } from "./run-onnx.ts";

const networks = [
  resnet({ block: "basic", blocks: [1, 2, 1, 1], width: 8 }),
  resnet({ block: "bottleneck", blocks: [2, 1, 1, 1], width: 8 }),
];

onEveryBackend(() => {
  test.each(
    networks.flatMap((backbone) => [
      { block: backbone.sizes.block, backbone, batch: 1, rows: 64, columns: 64 },
      { block: backbone.sizes.block, backbone, batch: 3, rows: 45, columns: 38 },
    ]),
  )(
    "computes in another runtime what it computes here: $block, batch $batch",
    async ({ backbone, batch, rows, columns }) => {
      const params = namedParameters("onnx.", backbone.parameterShapes);
      const before = tf.memory().numTensors;
      const { bytes, inputs, outputs } = await resnetToOnnx(backbone, params);
      expect(tf.memory().numTensors).toBe(before);
      expect(inputs).toEqual([{ name: "images", shape: [-1, 3, -1, -1] }]);
      expect(outputs.map(({ shape }) => shape)).toEqual([
        [-1, backbone.embedDim],
        [-1, backbone.embedDim, -1, -1],
      ]);

      const planes = named<tf.Tensor4D>("onnx.images", [batch, 3, rows, columns], -2, 2);
      const { features, feature_map } = await runOnnx(bytes, planes);
      const images = tf.transpose(planes, [0, 2, 3, 1]);
      const expected = backbone.forward(params, images);
      expect(features?.dims).toEqual(expected.shape);
      expectValues(features?.data ?? [], expected.dataSync(), 1e-4);
      const [, , down = 0, across = 0] = feature_map?.dims ?? [];
      expect([down, across]).toEqual([Math.ceil(rows / 32), Math.ceil(columns / 32)]);
      const map = feature_map?.data ?? new Float32Array();
      const means = Float32Array.from(expected.dataSync(), (_, i) => {
        const own = map.subarray(i * down * across, (i + 1) * down * across);
        return own.reduce((sum, value) => sum + value, 0) / own.length;
      });
      expectValues(means, expected.dataSync(), 1e-4);
      tf.dispose([params, planes, images, expected]);
    },
  );
});
