import { positionsFor, type VisionTransformer } from "@dino/backbones/vit";
import { type Params, parameter } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { createGraph } from "./graph.ts";
import type { Weight } from "./layers.ts";
import { type OnnxModel, onnxModel } from "./model.ts";
import { readWeights } from "./read-weights.ts";
import { names, vitGraph } from "./vit.ts";

export interface VitOnnxOptions {
  /** Pixels of the pictures; those that the positions were made for when absent. */
  readonly rows?: number;
  readonly columns?: number;
  /** More to tell in the file's metadata, beside what pictures have to be like. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A Vision Transformer as an ONNX file, float32 and opset 13. From `images` `[batch, 3, rows,
 * columns]`, RGB and normalised as the metadata say, it computes `class_token` `[batch, embedDim]`
 * (the feature), `patch_tokens` `[batch, patches, embedDim]` and `attention` `[batch, heads,
 * 1 + patches, 1 + patches]` of the last block. The batch may have any size; pictures have the one
 * that is asked for here, since the positions are interpolated now.
 */
export async function vitToOnnx(
  backbone: VisionTransformer,
  params: Params,
  { rows = backbone.imageSize, columns = backbone.imageSize, metadata = {} }: VitOnnxOptions = {},
): Promise<OnnxModel> {
  const { name, embedDim, heads, patchSize, parameterShapes } = backbone;
  for (const [side, pixels] of Object.entries({ rows, columns })) {
    if (Number.isSafeInteger(pixels) && pixels >= patchSize) continue;
    throw new RangeError(
      `${side}: expected a whole number from ${patchSize}, one patch, got ${pixels}`,
    );
  }
  const [, , width] = parameterShapes.pos_embed as [number, number, number];
  const weights = await readWeights(
    { ...parameterShapes, pos_embed: [1, null, width] }, // made for any size
    params,
  );
  const positions = await positionsOf(params, { rows, columns }, patchSize);
  const graph = createGraph();
  vitGraph(graph, weights, positions, backbone);

  const patches = Math.floor(rows / patchSize) * Math.floor(columns / patchSize);
  return onnxModel({
    name,
    about:
      "class_token: the feature. patch_tokens: row by row. " +
      "attention: of the last block, token 0 is the class token.",
    graph,
    inputs: [{ name: names.images, shape: ["batch", 3, rows, columns] }],
    outputs: [
      { name: names.classToken, shape: ["batch", embedDim] },
      { name: names.patchTokens, shape: ["batch", patches, embedDim] },
      { name: names.attention, shape: ["batch", heads, 1 + patches, 1 + patches] },
    ],
    metadata: { rows: String(rows), columns: String(columns), ...metadata },
  });
}

/** The positions of pictures of this size, under the name of those that they come from. */
async function positionsOf(
  params: Params,
  pixels: { readonly rows: number; readonly columns: number },
  patchSize: number,
): Promise<Weight> {
  const name = "pos_embed";
  const all = tf.tidy(() => positionsFor(parameter<tf.Tensor3D>(params, name), pixels, patchSize));
  const { shape } = all;
  const values = (await all.data().finally(() => all.dispose())) as Float32Array;
  return { name, shape, values };
}
