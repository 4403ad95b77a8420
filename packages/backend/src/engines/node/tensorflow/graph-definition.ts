import { type Bytes, bytesField, floatField, joined, mapField, numberField } from "./protobuf.ts";

// TensorFlow's messages, as far as they are needed: NodeDef, FunctionDef, GraphDef and SavedModel
// of tensorflow/core/framework and tensorflow/core/protobuf, by their fields' numbers.

const float = 1;
const int32 = 3;

/** The value of an operation's attribute. */
export const attribute = {
  type: numberField(6, float) as Bytes,
  indexType: numberField(6, int32) as Bytes,
  types: (count: number): Bytes =>
    bytesField(1, joined(Array.from({ length: count }, () => numberField(6, float)))),
  text: (value: string): Bytes => bytesField(2, value),
  texts: (values: readonly string[]): Bytes =>
    bytesField(1, joined(values.map((value) => bytesField(2, value)))),
  count: (value: number): Bytes => numberField(3, value),
  truth: (value: boolean): Bytes => numberField(5, value),
  callee: (name: string): Bytes => bytesField(10, bytesField(1, name)),
  number: (value: number): Bytes =>
    bytesField(8, joined([numberField(1, float), bytesField(2, ""), floatField(5, value)])),
  /** A vector of whole numbers, which may be below 0. */
  indices: (values: readonly number[]): Bytes =>
    bytesField(
      8,
      joined([
        numberField(1, int32),
        bytesField(2, bytesField(2, numberField(1, values.length))), // of shape [length]
        bytesField(4, Buffer.from(Int32Array.from(values).buffer)),
      ]),
    ),
  index: (value: number): Bytes =>
    bytesField(8, joined([numberField(1, int32), bytesField(2, ""), numberField(7, value)])),
} as const;

/** An operation in a graph or in a function. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Bytes>>;
}

/** The call of a function, as an operation in a graph or in another function. */
export function callNode(
  name: string,
  inputs: readonly string[],
  {
    callee,
    outputs,
    compiles,
  }: { readonly callee: string; readonly outputs: number; readonly compiles: boolean },
): GraphNode {
  return {
    name,
    op: "StatefulPartitionedCall",
    inputs,
    attributes: {
      Tin: attribute.types(inputs.length),
      Tout: attribute.types(outputs),
      f: attribute.callee(callee),
      ...mustCompile(compiles),
    },
  };
}

/** Has XLA compile a call and its function, or not. */
export function mustCompile(compiles: boolean): Readonly<Record<string, Bytes>> {
  return { _XlaMustCompile: attribute.truth(compiles) };
}

/** A function that a graph calls; everything that goes in and comes out is float32. */
export interface GraphFunction {
  readonly name: string;
  readonly inputs: readonly string[];
  /** The names of the outputs, and where each comes from: "node:output:0". */
  readonly outputs: Readonly<Record<string, string>>;
  readonly nodes: readonly GraphNode[];
  readonly attributes?: Readonly<Record<string, Bytes>>;
}

/** The tag that a saved model's graph is loaded by. */
export const servingTag = "serve";

/** The content of a `saved_model.pb` that holds one graph without variables. */
export function savedModel(
  nodes: readonly GraphNode[],
  functions: readonly GraphFunction[],
): Bytes {
  const graph = joined([
    ...nodes.map((node) => bytesField(1, nodeMessage(node))),
    bytesField(2, joined(functions.map((each) => bytesField(1, functionMessage(each))))),
    // The version of the format that the nodes are written in: TensorFlow 2.12's.
    bytesField(4, numberField(1, 1395)),
  ]);
  const about = bytesField(4, servingTag);
  return joined([
    numberField(1, 1),
    bytesField(2, joined([bytesField(1, about), bytesField(2, graph)])),
  ]);
}

function nodeMessage({ name, op, inputs, attributes }: GraphNode): Bytes {
  return joined([
    bytesField(1, name),
    bytesField(2, op),
    ...inputs.map((input) => bytesField(3, input)),
    mapField(5, attributes),
  ]);
}

function functionMessage(definition: GraphFunction): Bytes {
  const { name, inputs, outputs, nodes, attributes = {} } = definition;
  const argument = (each: string) => joined([bytesField(1, each), numberField(3, float)]);
  const signature = joined([
    bytesField(1, name),
    ...inputs.map((each) => bytesField(2, argument(each))),
    ...Object.keys(outputs).map((each) => bytesField(3, argument(each))),
  ]);
  return joined([
    bytesField(1, signature),
    ...nodes.map((node) => bytesField(3, nodeMessage(node))),
    mapField(4, outputs),
    mapField(5, attributes),
  ]);
}
