import { create, toBinary } from "@bufbuild/protobuf";
import { imagenet } from "@dino/ops";
import { elementTypes, type Graph } from "./graph.ts";
import { ModelProtoSchema, type ValueInfoProto, ValueInfoProtoSchema } from "./schema/onnx_pb.ts";

/** ONNX 1.8 of November 2020: what came since has no operation that is needed here. */
const opset = 13;
const irVersion = 7;

/** What goes into a model or comes out: -1 stands for a size that may be any. */
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

/** A value whose free sizes have names: equal ones are equal in every run. */
export interface NamedValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface ModelParts {
  readonly name: string;
  /** What comes out, in words: how pictures go in is told for all. */
  readonly about: string;
  readonly graph: Graph;
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The file of a graph that takes pictures. */
export function onnxModel({
  name,
  about,
  graph,
  inputs,
  outputs,
  metadata,
}: ModelParts): OnnxModel {
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    producerName: "@dino/onnx",
    docString: `images: RGB, bytes / 255, less the mean, divided by the standard deviation. ${about}`,
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    graph: {
      name,
      node: [...graph.nodes],
      initializer: [...graph.constants],
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
    },
    metadataProps: Object.entries({ ...preprocessing, ...metadata }).map(([key, value]) => ({
      key,
      value,
    })),
  });
  const bytes = toBinary(ModelProtoSchema, model);
  return { bytes, opset, inputs: inputs.map(plain), outputs: outputs.map(plain) };
}

/** How pictures become `images`, for whoever opens the file. */
const preprocessing = {
  color: "RGB",
  layout: "NCHW",
  scale: String(1 / 255),
  mean: imagenet.mean.join(","),
  std: imagenet.std.join(","),
  interpolation: "bicubic, antialiased",
};

function plain({ name, shape }: NamedValue): OnnxValue {
  return { name, shape: shape.map((size) => (typeof size === "string" ? -1 : size)) };
}

function valueInfo({ name, shape }: NamedValue): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === "string"
        ? ({ case: "dimParam", value: size } as const)
        : ({ case: "dimValue", value: BigInt(size) } as const),
  }));
  const value = { elemType: elementTypes.float32, shape: { dim } };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value } },
  });
}
