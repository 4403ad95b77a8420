import { type Layer, type Resnet, resnetLayers } from "@dino/backbones/resnet";
import type { Params } from "@dino/ops";
import { createGraph, type Graph } from "./graph.ts";
import { constantOf, type Weights } from "./layers.ts";
import { type OnnxModel, onnxModel } from "./model.ts";
import { readWeights } from "./read-weights.ts";

export interface ResnetOnnxOptions {
  /** More to tell in the file's metadata, beside what pictures have to be like. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A ResNet as an ONNX file, float32 and opset 13. From `images` `[batch, 3, rows, columns]`, RGB and
 * normalised as the metadata say, it computes `features` `[batch, embedDim]` and `feature_map`
 * `[batch, embedDim, rows / 32, columns / 32]`, of which they are the mean. The batch and the pictures
 * may have any size. Normalisation is by the running statistics, as in evaluation.
 */
export async function resnetToOnnx(
  backbone: Resnet,
  params: Params,
  { metadata = {} }: ResnetOnnxOptions = {},
): Promise<OnnxModel> {
  const { name, embedDim, parameterShapes } = backbone;
  const { stem, blocks } = resnetLayers(backbone.sizes);
  const used = Object.entries(parameterShapes).filter(([key]) => !key.endsWith(counter));
  const weights = await readWeights(Object.fromEntries(used), params);
  const graph = createGraph();
  const relu = (x: string, output?: string) => {
    return graph.node("Relu", [x], output === undefined ? {} : { output });
  };

  let x = graph.node("MaxPool", [relu(layer(graph, weights, "images", stem))], {
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  });
  for (const [i, { layers, projection }] of blocks.entries()) {
    const around = projection ? layer(graph, weights, x, projection) : x;
    let y = x;
    for (const [at, each] of layers.entries()) {
      y = layer(graph, weights, at === 0 ? y : relu(y), each);
    }
    const output = i === blocks.length - 1 ? "feature_map" : undefined;
    x = relu(graph.node("Add", [y, around]), output);
  }
  const pooled = graph.node("GlobalAveragePool", [x]);
  graph.node("Flatten", [pooled], { attributes: { axis: 1 }, output: "features" });

  return onnxModel({
    name,
    about: "features: the mean of feature_map over rows and columns.",
    graph,
    inputs: [{ name: "images", shape: ["batch", 3, "rows", "columns"] }],
    outputs: [
      { name: "features", shape: ["batch", embedDim] },
      { name: "feature_map", shape: ["batch", embedDim, "map_rows", "map_columns"] },
    ],
    metadata,
  });
}

/** The batches that a norm has seen: only training asks for them. */
const counter = "num_batches_tracked";

/** A convolution, centred, and the normalisation behind it. ONNX's epsilon is PyTorch's: 1e-5. */
function layer(
  graph: Graph,
  weights: Weights,
  x: string,
  { conv, norm, kernel, stride }: Layer,
): string {
  const padding = (kernel - 1) / 2;
  const convolved = graph.node("Conv", [x, constantOf(graph, weights(`${conv}weight`))], {
    attributes: {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
    },
  });
  const statistics = ["weight", "bias", "running_mean", "running_var"].map((name) =>
    constantOf(graph, weights(norm + name)),
  );
  return graph.node("BatchNormalization", [convolved, ...statistics]);
}
