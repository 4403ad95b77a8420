import { attribute, callNode, type GraphFunction, type GraphNode } from "./graph-definition.ts";
import type { Bytes } from "./protobuf.ts";

/** A value inside a program: where it comes from. */
export interface Value {
  readonly from: string;
}

type Operand = Value | number;

/** What programs that can be compiled are written in: operations on values of float32. */
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
  /** Sums along an axis, which goes. */
  sum(x: Value, axis: number): Value;
  /** One length may be -1: what is left. */
  reshape(x: Value, shape: readonly number[]): Value;
}

/** What graphs are written in besides: what is slow when it is compiled, or cannot be. */
export interface GraphArithmetic extends Arithmetic {
  /** Half the sum of all squares. */
  halfSquares(x: Value): Value;
  /** `x wᵀ + b`, and the exact GELU of it, in one pass. */
  affine(x: Value, weight: Value, bias: Value, activation?: "GeluExact"): Value;
  /** oneDNN's product of the last two axes, for each place in the others. */
  matMul(a: Value, b: Value, transposeA?: boolean, transposeB?: boolean): Value;
  /** oneDNN's softmax over the last axis. */
  softmax(x: Value): Value;
  /** The sum of the rows of `[rows, columns]`. */
  sumOfRows(x: Value): Value;
  transpose(x: Value, order: readonly number[]): Value;
  /** `count` parts of the first axis from `first` on; all from there on if it is -1. */
  part(x: Value, first: number, count: number): Value;
  /** Along a new first axis. */
  stack(parts: readonly Value[]): Value;
  /** One behind the other along the first axis. */
  concat(parts: readonly Value[]): Value;
  /** A vector of `counts[i]` times `values[i]`, one behind the other. */
  steps(values: readonly number[], counts: readonly number[]): Value;
  /** The outputs of a program, which is compiled where the graph's larger programs are to be. */
  call(program: Program, inputs: readonly Value[]): readonly Value[];
}

/** An operation whose callee has two variants, compiled and not. */
interface Call {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly program: Program;
}

/** A kernel's arithmetic. */
export interface Program {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: number;
  /** The programs that it calls. */
  readonly callees: readonly Program[];
  /**
   * Whether it is a single loop over memory when it is compiled. Else it runs as TensorFlow's
   * operations, and what it calls is compiled.
   */
  readonly compiles: boolean;
  /** As TensorFlow's function of that name. */
  define(variant: Variant): GraphFunction;
}

/** In which form a program is to run. */
export type Variant = "plain" | "compiled";

/** The name of the function that a program is in a form. */
export function functionName({ name }: Program, variant: Variant): string {
  return `${name}_${variant}`;
}

/** The input that all numbers of a program come in: to hand each over takes its time. */
const numbersInput = "numbers";

export interface ProgramOptions<NumberName extends string> {
  /** The names of numbers that it takes besides its tensors. */
  readonly numbers?: readonly NumberName[];
}

type Write<Kind, Name extends string> = (
  arithmetic: Kind,
  inputs: Readonly<Record<Name, Value>>,
) => readonly Value[];

/**
 * Writes down a program that can be compiled: `write` gets its tensors and its numbers by their
 * names, and gives its outputs.
 */
export function program<Name extends string, NumberName extends string = never>(
  name: string,
  inputs: readonly Name[],
  write: Write<Arithmetic, Name | NumberName>,
  options: ProgramOptions<NumberName> = {},
): Program {
  return { ...graph(name, inputs, write, options), compiles: true };
}

/**
 * Writes down a program that is not compiled by itself, but may call some that are. They may be
 * given its numbers by the name `numbers`.
 */
export function graph<Name extends string, NumberName extends string = never>(
  name: string,
  inputs: readonly Name[],
  write: Write<GraphArithmetic, Name | NumberName | typeof numbersInput>,
  { numbers = [] }: ProgramOptions<NumberName> = {},
): Program {
  const writer = graphWriter();
  const given: Record<string, Value> = { [numbersInput]: { from: numbersInput } };
  for (const each of inputs) given[each] = { from: each };
  numbers.forEach((each, i) => {
    given[each] = writer.element(numbersInput, i);
  });
  type All = Readonly<Record<Name | NumberName | typeof numbersInput, Value>>;
  const results = write(writer.arithmetic, given as All);
  const outputs = Object.fromEntries(results.map(({ from }, i) => [`output${i}`, from]));
  const all = numbers.length > 0 ? [...inputs, numbersInput] : inputs;
  const { nodes, calls } = writer;
  const made: Program = {
    name,
    inputs: all,
    outputs: results.length,
    callees: [...new Set(calls.map((call) => call.program))],
    compiles: false,
    define: (variant) => ({
      name: functionName(made, variant),
      inputs: all,
      outputs,
      nodes: [...nodes, ...calls.map((call) => callIn(variant, call))],
    }),
  };
  return made;
}

function callIn(variant: Variant, { name, inputs, program }: Call): GraphNode {
  const compiles = variant === "compiled" && program.compiles;
  const { outputs } = program;
  return callNode(name, inputs, { callee: functionName(program, variant), outputs, compiles });
}

const oneDnn = { _kernel: attribute.text("MklNameChangeOp") };

/** Collects what is written down. */
function graphWriter() {
  const nodes: GraphNode[] = [];
  const calls: Call[] = [];
  const nextName = () => `node${nodes.length + calls.length}`;
  const add = (
    op: string,
    inputs: readonly Value[],
    output: string,
    attributes: Readonly<Record<string, Bytes>> = { T: attribute.type },
  ): Value => {
    const name = nextName();
    nodes.push({ name, op, inputs: inputs.map(({ from }) => from), attributes });
    return { from: `${name}:${output}:0` };
  };
  const number = (value: number) =>
    add("Const", [], "output", { dtype: attribute.type, value: attribute.number(value) });
  const integers = (value: Bytes) =>
    add("Const", [], "output", { dtype: attribute.indexType, value });
  const indices = (...values: readonly number[]) => integers(attribute.indices(values));
  const operate = (op: string, operands: readonly Operand[], output: string) =>
    add(
      op,
      operands.map((each) => (typeof each === "number" ? number(each) : each)),
      output,
    );
  const concat = (parts: readonly Value[]) =>
    add("ConcatV2", [...parts, integers(attribute.index(0))], "output", {
      T: attribute.type,
      Tidx: attribute.indexType,
      N: attribute.count(parts.length),
    });
  const arithmetic: GraphArithmetic = {
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
    sum: (x, axis) =>
      add("Sum", [x, indices(axis)], "output", { T: attribute.type, Tidx: attribute.indexType }),
    halfSquares: (x) => operate("L2Loss", [x], "output"),
    affine: (x, weight, bias, activation) =>
      // oneDNN's where Eigen's lacks the activation.
      add(activation ? "_MklNativeFusedMatMul" : "_FusedMatMul", [x, weight, bias], "product", {
        T: attribute.type,
        transpose_a: attribute.truth(false),
        transpose_b: attribute.truth(true),
        num_args: attribute.count(1),
        ...(activation && oneDnn),
        fused_ops: attribute.texts(activation ? ["BiasAdd", activation] : ["BiasAdd"]),
      }),
    matMul: (a, b, transposeA = false, transposeB = false) =>
      add("_MklBatchMatMulV2", [a, b], "output", {
        T: attribute.type,
        adj_x: attribute.truth(transposeA),
        adj_y: attribute.truth(transposeB),
        ...oneDnn,
      }),
    softmax: (x) => add("_MklSoftmax", [x], "softmax", { T: attribute.type, ...oneDnn }),
    sumOfRows: (x) =>
      add("BiasAddGrad", [x], "output", {
        T: attribute.type,
        data_format: attribute.text("NHWC"),
      }),
    reshape: (x, shape) =>
      add("Reshape", [x, indices(...shape)], "output", {
        T: attribute.type,
        Tshape: attribute.indexType,
      }),
    transpose: (x, order) =>
      add("Transpose", [x, indices(...order)], "y", {
        T: attribute.type,
        Tperm: attribute.indexType,
      }),
    part: (x, first, count) =>
      add(
        "StridedSlice",
        [x, indices(first), indices(count < 0 ? 0 : first + count), indices(1)],
        "output",
        {
          T: attribute.type,
          Index: attribute.indexType,
          ...(count < 0 && { end_mask: attribute.count(1) }),
        },
      ),
    stack: (parts) =>
      add("Pack", parts, "output", { T: attribute.type, N: attribute.count(parts.length) }),
    concat: (parts) => (parts.length === 1 ? (parts[0] as Value) : concat(parts)),
    steps: (values, counts) =>
      concat(
        values.map((value, i) =>
          add("Fill", [indices(counts[i] as number), number(value)], "output", {
            T: attribute.type,
            index_type: attribute.indexType,
          }),
        ),
      ),
    call: (program, inputs) => {
      const name = nextName();
      calls.push({ name, inputs: inputs.map(({ from }) => from), program });
      return Array.from({ length: program.outputs }, (_, i) => ({ from: `${name}:output:${i}` }));
    },
  };
  /** An element of a vector, as a scalar. */
  const element = (vector: string, i: number) =>
    add("StridedSlice", [{ from: vector }, indices(i), indices(i + 1), indices(1)], "output", {
      T: attribute.type,
      Index: attribute.indexType,
      shrink_axis_mask: attribute.count(1),
    });
  return { nodes, calls, arithmetic, element };
}
