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
  min(a: Operand, b: Operand): Value;
  rsqrt(x: Value): Value;
  /** Along the columns, of two axes; the axis stays, with one element. */
  rowMean(x: Value): Value;
  rowSum(x: Value): Value;
  /** Half the sum of all squares; not in programs that are compiled, where it is slow. */
  halfSquares(x: Value): Value;
  /** `x wᵀ + b`, and the exact GELU of it, in one pass; not in programs that are compiled. */
  affine(x: Value, weight: Value, bias: Value, activation?: "GeluExact"): Value;
}

/** A kernel's arithmetic, which becomes one loop over memory when it is compiled. */
export interface Program {
  readonly outputs: number;
  readonly definition: GraphFunction;
  /** Whether it may be compiled; else it runs as TensorFlow's operations in any size. */
  readonly compiles: boolean;
}

export interface ProgramOptions<NumberName extends string> {
  readonly compiles?: boolean;
  /** The names of numbers that it takes besides its tensors. */
  readonly numbers?: readonly NumberName[];
}

/** The input that all numbers of a program come in: to hand each over takes its time. */
const numbersInput = "numbers";

/**
 * Writes a program down: `write` gets its tensors and its numbers by their names, and gives its
 * outputs.
 */
export function program<Name extends string, NumberName extends string = never>(
  name: string,
  inputs: readonly Name[],
  write: (
    arithmetic: Arithmetic,
    inputs: Readonly<Record<Name | NumberName, Value>>,
  ) => readonly Value[],
  { compiles = true, numbers = [] }: ProgramOptions<NumberName> = {},
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
  const index = (value: number) =>
    add(
      {
        op: "Const",
        inputs: [],
        attributes: { dtype: attribute.indexType, value: attribute.axis(value) },
      },
      "output",
    );
  const element = (vector: string, i: number) =>
    add(
      {
        op: "StridedSlice",
        inputs: [vector, index(i).from, index(i + 1).from, index(1).from],
        attributes: {
          T: attribute.type,
          Index: attribute.indexType,
          shrink_axis_mask: attribute.count(1),
        },
      },
      "output",
    );
  const reduce = (op: string, x: Value) => {
    const axis = index(1);
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
    min: (a, b) => operate("Minimum", [a, b], "z"),
    halfSquares: (x) => operate("L2Loss", [x], "output"),
    rowMean: (x) => reduce("Mean", x),
    rowSum: (x) => reduce("Sum", x),
    affine: (x, weight, bias, activation) =>
      add(
        {
          // oneDNN's where Eigen's lacks the activation.
          op: activation ? "_MklNativeFusedMatMul" : "_FusedMatMul",
          inputs: [x.from, weight.from, bias.from],
          attributes: {
            T: attribute.type,
            transpose_a: attribute.truth(false),
            transpose_b: attribute.truth(true),
            num_args: attribute.count(1),
            ...(activation && { _kernel: attribute.text("MklNameChangeOp") }),
            fused_ops: attribute.texts(activation ? ["BiasAdd", activation] : ["BiasAdd"]),
          },
        },
        "product",
      ),
  };
  const given: Record<string, Value> = {};
  for (const each of inputs) given[each] = { from: each };
  numbers.forEach((each, i) => {
    given[each] = element(numbersInput, i);
  });
  const results = write(arithmetic, given as Record<Name | NumberName, Value>);
  const outputs = Object.fromEntries(results.map(({ from }, i) => [`output${i}`, from]));
  const all = numbers.length > 0 ? [...inputs, numbersInput] : inputs;
  return {
    outputs: results.length,
    definition: { name, inputs: all, outputs, nodes },
    compiles,
  };
}
