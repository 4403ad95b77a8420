import { create } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "./schema/onnx_pb.ts";

/** The numbers by which ONNX calls its types. */
export const elementTypes = { float32: 1, int64: 7 } as const;

const attributeTypes = { int: 2, ints: 7 } as const;

export interface NodeOptions {
  /** Whole numbers alone: no operation that is used here takes another kind. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  /** What its output is called; else it has a name of its own. */
  readonly output?: string;
}

/** A graph that grows: each call returns the name of the value that it adds. */
export interface Graph {
  readonly nodes: readonly NodeProto[];
  readonly constants: readonly TensorProto[];
  /** A float32 constant of the graph. */
  constant(name: string, values: Float32Array, shape: readonly number[]): string;
  /** A constant of one number. */
  scalar(value: number): string;
  /** A list of whole numbers: a shape, axes. */
  integers(...values: readonly number[]): string;
  /** The one output of an operation. */
  node(type: string, inputs: readonly string[], options?: NodeOptions): string;
  /** The outputs of an operation with several. */
  nodes3(type: string, inputs: readonly string[], options?: NodeOptions): [string, string, string];
}

export function createGraph(): Graph {
  const nodes: NodeProto[] = [];
  const constants = new Map<string, TensorProto>();

  const tensor = (
    name: string,
    type: keyof typeof elementTypes,
    shape: readonly number[],
    values: Float32Array | BigInt64Array,
  ) => {
    if (!constants.has(name)) {
      constants.set(
        name,
        create(TensorProtoSchema, {
          name,
          dataType: elementTypes[type],
          dims: shape.map(BigInt),
          rawData: littleEndian(values),
        }),
      );
    }
    return name;
  };
  const add = (
    type: string,
    inputs: readonly string[],
    outputs: string[],
    options: NodeOptions,
  ) => {
    nodes.push(
      create(NodeProtoSchema, {
        opType: type,
        name: `${type}_${nodes.length}`,
        input: [...inputs],
        output: outputs,
        attribute: Object.entries(options.attributes ?? {}).map(attribute),
      }),
    );
  };
  const fresh = (type: string, which = "") => `${type.toLowerCase()}_${nodes.length}${which}`;

  return {
    nodes,
    get constants() {
      return [...constants.values()];
    },
    constant: (name, values, shape) => tensor(name, "float32", shape, values),
    scalar: (value) => tensor(`scalar_${value}`, "float32", [], Float32Array.of(value)),
    integers: (...values) =>
      tensor(
        `integers_${values.join("_")}`,
        "int64",
        [values.length],
        BigInt64Array.from(values, BigInt),
      ),
    node: (type, inputs, options = {}) => {
      const output = options.output ?? fresh(type);
      add(type, inputs, [output], options);
      return output;
    },
    nodes3: (type, inputs, options = {}) => {
      const outputs: [string, string, string] = [
        fresh(type, "_a"),
        fresh(type, "_b"),
        fresh(type, "_c"),
      ];
      add(type, inputs, outputs, options);
      return outputs;
    },
  };
}

function attribute([name, value]: [string, number | readonly number[]]): AttributeProto {
  return typeof value === "number"
    ? create(AttributeProtoSchema, { name, type: attributeTypes.int, i: BigInt(value) })
    : create(AttributeProtoSchema, { name, type: attributeTypes.ints, ints: value.map(BigInt) });
}

/** The bytes of the values as the file has them, whatever the machine's order is. */
function littleEndian(values: Float32Array | BigInt64Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.byteLength);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  const size = values.BYTES_PER_ELEMENT;
  if (!isLittle) {
    for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  }
  return bytes;
}
