import { attribute, type GraphFunction, type GraphNode } from "./graph-definition.ts";

/** A value inside a program: where it comes from. */
export interface Value {
  readonly from: string;
}

type Operand = Value | number;

/** What programs are written in: TensorFlow's operations on values of float32. */
export interface Arithmetic {
  add(a: Operand, b: Operand): Value;
  sub(a: Operand, b: Operand): Value;
  mul(a: Operand, b: Operand): Value;
  div(a: Operand, b: Operand): Value;
  erf(x: Value): Value;
  exp(x: Value): Value;
  square(x: Value): Value;
  sqrt(x: Value): Value;
  rsqrt(x: Value): Value;
  /** Along the columns, of two axes; the axis stays, with one element. */
  rowMean(x: Value): Value;
  rowSum(x: Value): Value;
}

/** A kernel's arithmetic, which becomes one loop over memory when it is compiled. */
export interface Program {
  readonly inputs: readonly string[];
  readonly outputs: number;
  readonly definition: GraphFunction;
}

/** Writes a program down: `write` gets its inputs by name, and gives its outputs. */
export function program<Name extends string>(
  name: string,
  inputs: readonly Name[],
  write: (arithmetic: Arithmetic, inputs: Readonly<Record<Name, Value>>) => readonly Value[],
): Program {
  const nodes: GraphNode[] = [];
  const add = (node: Omit<GraphNode, "name">, output: string): Value => {
    const made = { ...node, name: `node${nodes.length}` };
    nodes.push(made);
    return { from: `${made.name}:${output}:0` };
  };
  const constant = (value: number) =>
    add(
      {
        op: "Const",
        inputs: [],
        attributes: { dtype: attribute.type, value: attribute.number(value) },
      },
      "output",
    );
  const operate = (op: string, operands: readonly Operand[], output: string) => {
    const values = operands.map((each) => (typeof each === "number" ? constant(each) : each));
    const from = values.map((value) => value.from);
    return add({ op, inputs: from, attributes: { T: attribute.type } }, output);
  };
  const reduce = (op: string, x: Value) => {
    const axis = add(
      {
        op: "Const",
        inputs: [],
        attributes: { dtype: attribute.indexType, value: attribute.axis(1) },
      },
      "output",
    );
    const attributes = {
      T: attribute.type,
      Tidx: attribute.indexType,
      keep_dims: attribute.truth(true),
    };
    return add({ op, inputs: [x.from, axis.from], attributes }, "output");
  };
  const arithmetic: Arithmetic = {
    add: (a, b) => operate("AddV2", [a, b], "z"),
    sub: (a, b) => operate("Sub", [a, b], "z"),
    mul: (a, b) => operate("Mul", [a, b], "z"),
    div: (a, b) => operate("RealDiv", [a, b], "z"),
    erf: (x) => operate("Erf", [x], "y"),
    exp: (x) => operate("Exp", [x], "y"),
    square: (x) => operate("Square", [x], "y"),
    sqrt: (x) => operate("Sqrt", [x], "y"),
    rsqrt: (x) => operate("Rsqrt", [x], "y"),
    rowMean: (x) => reduce("Mean", x),
    rowSum: (x) => reduce("Sum", x),
  };
  const given: Record<string, Value> = {};
  for (const each of inputs) given[each] = { from: each };
  const results = write(arithmetic, given as Record<Name, Value>);
  const outputs = Object.fromEntries(results.map(({ from }, i) => [`output${i}`, from]));
  return { inputs, outputs: results.length, definition: { name, inputs, outputs, nodes } };
}
