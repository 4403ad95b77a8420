import { create, toBinary } from "@bufbuild/protobuf";
import { positionsFor, type VisionTransformer } from "@dino/backbones/vit";
import { assertShape, imagenet, type Params, parameter } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { createGraph, elementTypes } from "./graph.ts";
import type { Weight } from "./layers.ts";
import { ModelProtoSchema, type ValueInfoProto, ValueInfoProtoSchema } from "./schema/onnx_pb.ts";
import { names, vitGraph } from "./vit.ts";

/** ONNX 1.8 of November 2020: what came since has no operation that is needed here. */
const opset = 13;
const irVersion = 7;

export interface OnnxOptions {
  /** Pixels of the pictures; those that the positions were made for when absent. */
  readonly rows?: number;
  readonly columns?: number;
  /** More to tell in the file's metadata, beside what pictures have to be like. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What goes into a model or comes out: -1 stands for the batch, which may be any. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface OnnxModel {
  /** The file. */
  readonly bytes: Uint8Array;
  readonly opset: number;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
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
  { rows = backbone.imageSize, columns = backbone.imageSize, metadata = {} }: OnnxOptions = {},
): Promise<OnnxModel> {
  const { embedDim, depth, heads, patchSize } = backbone;
  for (const [name, pixels] of Object.entries({ rows, columns })) {
    if (Number.isSafeInteger(pixels) && pixels >= patchSize) continue;
    throw new RangeError(
      `${name}: expected a whole number from ${patchSize}, one patch, got ${pixels}`,
    );
  }
  const weights = await readAll(backbone, params);
  const patches = Math.floor(rows / patchSize) * Math.floor(columns / patchSize);
  const graph = createGraph();
  vitGraph(
    graph,
    (name) => weights.get(name) as Weight,
    await positionsOf(params, { rows, columns }, patchSize),
    { embedDim, depth, heads, patchSize },
  );

  const inputs = [{ name: names.images, shape: [-1, 3, rows, columns] }];
  const outputs = [
    { name: names.classToken, shape: [-1, embedDim] },
    { name: names.patchTokens, shape: [-1, patches, embedDim] },
    { name: names.attention, shape: [-1, heads, 1 + patches, 1 + patches] },
  ];
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    producerName: "@dino/onnx",
    docString: about,
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    graph: {
      name: backbone.name,
      node: [...graph.nodes],
      initializer: [...graph.constants],
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
    },
    metadataProps: Object.entries({ ...preprocessing({ rows, columns }), ...metadata }).map(
      ([key, value]) => ({ key, value }),
    ),
  });
  return { bytes: toBinary(ModelProtoSchema, model), opset, inputs, outputs };
}

const about =
  "images: RGB, [batch, 3, rows, columns], bytes / 255, less the mean, divided by the standard deviation. " +
  "class_token: the feature. patch_tokens: row by row. attention: of the last block, token 0 is the class token.";

/** How pictures become `images`, for whoever opens the file. */
function preprocessing({ rows, columns }: { rows: number; columns: number }) {
  return {
    color: "RGB",
    layout: "NCHW",
    scale: String(1 / 255),
    mean: imagenet.mean.join(","),
    std: imagenet.std.join(","),
    rows: String(rows),
    columns: String(columns),
    interpolation: "bicubic, antialiased",
  };
}

function valueInfo({ name, shape }: OnnxValue): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: elementTypes.float32,
          shape: {
            dim: shape.map((size) => ({
              value:
                size < 0
                  ? ({ case: "dimParam", value: "batch" } as const)
                  : ({ case: "dimValue", value: BigInt(size) } as const),
            })),
          },
        },
      },
    },
  });
}

/** Every parameter as plain numbers, its shape checked. */
async function readAll(
  { parameterShapes }: VisionTransformer,
  params: Params,
): Promise<ReadonlyMap<string, Weight>> {
  const weights = new Map<string, Weight>();
  for (const [name, shape] of Object.entries(parameterShapes)) {
    const tensor = parameter(params, name);
    assertShape(name, tensor, name === "pos_embed" ? [1, null, shape[2] ?? null] : [...shape]);
    weights.set(name, { name, shape, values: (await tensor.data()) as Float32Array });
  }
  return weights;
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
