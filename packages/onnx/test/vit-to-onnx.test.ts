import { vit } from "@dino/backbones/vit";
import { vitToOnnx } from "@dino/onnx";
import { expectValues, named, namedParameters, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { runOnnx } from "./run-onnx.ts";

const backbone = vit({ embedDim: 24, depth: 3, heads: 3, patchSize: 8, imageSize: 32 });

onEveryBackend(() => {
  test.each([
    [32, 32, 1],
    [32, 32, 3],
    [40, 24, 1],
    [51, 64, 3],
  ])(
    "computes in another runtime what it computes here: %i x %i pixels, batch %i",
    async (rows, columns, batch) => {
      const params = namedParameters("onnx.", backbone.parameterShapes);
      const before = tf.memory().numTensors;
      const { bytes, inputs, outputs } = await vitToOnnx(backbone, params, { rows, columns });
      expect(tf.memory().numTensors).toBe(before);

      const planes = named<tf.Tensor4D>("onnx.images", [batch, 3, rows, columns], -2, 2);
      expect(inputs).toEqual([{ name: "images", shape: [-1, 3, rows, columns] }]);
      const found = await runOnnx(bytes, planes);
      const images = tf.transpose(planes, [0, 2, 3, 1]);
      const [tokens] = backbone.intermediateTokens(params, images, { blocks: 1 });
      const expected = {
        class_token: backbone.forward(params, images),
        patch_tokens: tf.slice(tokens as tf.Tensor3D, [0, 1, 0]),
        attention: backbone.selfAttention(params, images),
      };
      expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
      for (const [name, tensor] of Object.entries(expected)) {
        const given = found[name];
        expect(given?.dims).toEqual(tensor.shape);
        expect(outputs.find((output) => output.name === name)?.shape.slice(1)).toEqual(
          tensor.shape.slice(1),
        );
        expectValues(given?.data ?? [], tensor.dataSync(), 1e-4);
      }
      tf.dispose([params, planes, images, tokens as tf.Tensor, expected]);
    },
  );
});

test("tells what a picture has to be like, and what else is asked for", async () => {
  const params = namedParameters("onnx.", backbone.parameterShapes);
  const options = { rows: 16, columns: 24, metadata: { trained: "on emoji" } };
  const { bytes, opset } = await vitToOnnx(backbone, params, options);
  expect(opset).toBe(13);
  const text = new TextDecoder("latin1").decode(bytes);
  const expected = [
    "0.485,0.456,0.406",
    "0.229,0.224,0.225",
    "RGB",
    "trained",
    "on emoji",
    "batch",
  ];
  for (const word of expected) expect(text).toContain(word);
  tf.dispose(params);
});

test("says what does not fit", async () => {
  const params = namedParameters("onnx.", backbone.parameterShapes);
  await expect(vitToOnnx(backbone, params, { rows: 7 })).rejects.toThrow(
    "rows: expected a whole number from 8, one patch, got 7",
  );
  const narrow = tf.zeros([23]);
  await expect(vitToOnnx(backbone, { ...params, "norm.weight": narrow })).rejects.toThrow(
    "norm.weight: expected shape [24], got [23]",
  );
  tf.dispose([params, narrow]);
});
