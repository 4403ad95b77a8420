import * as tf from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../native-backend.ts";
import type { NativeKernel } from "../operations/native-kernel.ts";
import type { BinaryName, ComparisonName, StockFunctions, UnaryName } from "./stock-functions.ts";
import { areFloats, broadcastStrides, sizeFromShape, stockKernel } from "./stock-kernel.ts";

type One = { readonly x: tf.TensorInfo };
type Two = { readonly a: tf.TensorInfo; readonly b: tf.TensorInfo };

/** Parameters of functions of one number. */
interface Parameters {
  readonly alpha?: number;
  readonly clipValueMin?: number;
  readonly clipValueMax?: number;
}

const unaryNames: readonly UnaryName[] = [
  "Abs",
  "Ceil",
  "ClipByValue",
  "Elu",
  "Erf",
  "Exp",
  "Floor",
  "LeakyRelu",
  "Log",
  "Neg",
  "Reciprocal",
  "Relu",
  "Relu6",
  "Round",
  "Rsqrt",
  "Sigmoid",
  "Sign",
  "Softplus",
  "Sqrt",
  "Square",
  "Step",
  "Tanh",
];

const unary = (name: UnaryName) =>
  stockKernel<One, Parameters>(name, ({ inputs: { x }, attributes, backend, native }) => {
    if (!areFloats(x)) return undefined;
    const { alpha, clipValueMin, clipValueMax } = attributes ?? {};
    const y = backend.output(x.shape);
    const [first, second] = [alpha ?? clipValueMin ?? 0, clipValueMax ?? 0];
    const code = native.UnaryFunction[name];
    native.stockUnary(code, backend.values(x), backend.values(y), first, second);
    return y;
  });

/** Both arrays are as long as the result, or one number. */
const alike = new Int32Array(0);

/** The shape of what two arrays give, and the axes as the addon wants them. */
function broadcast(a: readonly number[], b: readonly number[]): [readonly number[], Int32Array] {
  if (tf.util.arraysEqual([...a], [...b])) return [a, alike];
  if (b.length === 0) return [a, alike];
  if (a.length === 0) return [b, alike];
  const shape = tf.backend_util.assertAndGetBroadcastShape([...a], [...b]);
  const [aSteps, bSteps] = [broadcastStrides(a, shape), broadcastStrides(b, shape)];
  const axes = shape.flatMap((size, axis) => [size, aSteps[axis] ?? 0, bSteps[axis] ?? 0]);
  return [shape, Int32Array.from(axes)];
}

const binaryNames: readonly BinaryName[] = [
  "Add",
  "Maximum",
  "Minimum",
  "Multiply",
  "Pow",
  "RealDiv",
  "SquaredDifference",
  "Sub",
];

function applyBinary(
  name: BinaryName,
  { backend, native }: { readonly backend: NativeBackend; readonly native: StockFunctions },
  a: tf.TensorInfo,
  b: tf.TensorInfo,
): tf.TensorInfo | undefined {
  if (!areFloats(a, b)) return undefined;
  const [shape, axes] = broadcast(a.shape, b.shape);
  const y = backend.output(shape);
  const values = backend.values(y);
  if (values.length === 0) return y;
  const code = native.BinaryFunction[name];
  native.stockBinary(code, backend.values(a), backend.values(b), values, axes);
  return y;
}

const binary = (name: BinaryName) =>
  stockKernel<Two>(name, (call) => applyBinary(name, call, call.inputs.a, call.inputs.b));

const comparisonNames: readonly ComparisonName[] = [
  "Equal",
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "NotEqual",
];

const comparison = (name: ComparisonName) =>
  stockKernel<Two>(name, ({ inputs: { a, b }, backend, native }) => {
    if (!areFloats(a, b)) return undefined;
    const [shape, axes] = broadcast(a.shape, b.shape);
    const values = new Uint8Array(sizeFromShape([...shape]));
    if (values.length > 0) {
      const code = native.Comparison[name];
      native.stockCompare(code, backend.values(a), backend.values(b), values, axes);
    }
    return backend.makeTensorInfo([...shape], "bool", values);
  });

const prelu = stockKernel<{ readonly x: tf.TensorInfo; readonly alpha: tf.TensorInfo }>(
  "Prelu",
  (call) => applyBinary("Prelu", call, call.inputs.x, call.inputs.alpha),
);

const eluGradient = stockKernel<{ readonly dy: tf.TensorInfo; readonly y: tf.TensorInfo }>(
  "EluGrad",
  (call) => applyBinary("EluGrad", call, call.inputs.dy, call.inputs.y),
);

const select = stockKernel<{
  readonly condition: tf.TensorInfo;
  readonly t: tf.TensorInfo;
  readonly e: tf.TensorInfo;
}>("Select", ({ inputs: { condition, t, e }, backend, native }) => {
  const isWhole = [condition, e].every(({ shape }) => tf.util.arraysEqual(shape, t.shape));
  const chosen = backend.values<tf.TypedArray>(condition);
  if (!areFloats(t, e) || !isWhole || !(chosen instanceof Uint8Array)) return undefined;
  const y = backend.output(t.shape);
  native.stockSelect(chosen, backend.values(t), backend.values(e), backend.values(y));
  return y;
});

const addN = stockKernel<readonly tf.TensorInfo[]>("AddN", ({ inputs, backend, native }) => {
  const tensors = Object.values(inputs);
  const [first, second, ...rest] = tensors;
  if (first === undefined || !areFloats(...tensors)) return undefined;
  if (second === undefined) return backend.same(first);
  const y = backend.output(first.shape);
  const values = backend.values(y);
  if (values.length === 0) return y;
  const code = native.BinaryFunction.Add;
  native.stockBinary(code, backend.values(first), backend.values(second), values, alike);
  for (const tensor of rest) native.stockAccumulate(backend.values(tensor), values);
  return y;
});

const cast = stockKernel<One, { readonly dtype: tf.DataType }>(
  "Cast",
  ({ inputs: { x }, attributes: { dtype }, backend, native }) => {
    const values = backend.values<tf.TypedArray>(x);
    const size = sizeFromShape(x.shape);
    if (dtype === "float32") {
      if (x.dtype === "float32") return backend.same(x);
      if (!(values instanceof Int32Array || values instanceof Uint8Array)) return undefined;
      const y = backend.output(x.shape);
      if (values instanceof Int32Array) native.stockIntToFloat(values, backend.values(y));
      else native.stockBoolToFloat(values, backend.values(y));
      return y;
    }
    if (x.dtype !== "float32" || (dtype !== "int32" && dtype !== "bool")) return undefined;
    if (dtype === "int32") {
      const y = new Int32Array(size);
      native.stockFloatToInt(backend.values(x), y);
      return backend.makeTensorInfo(x.shape, dtype, y);
    }
    const y = new Uint8Array(size);
    native.stockFloatToBool(backend.values(x), y);
    return backend.makeTensorInfo(x.shape, dtype, y);
  },
);

/** Kernels that work number by number. */
export const elementKernels: readonly NativeKernel[] = [
  ...unaryNames.map(unary),
  ...binaryNames.map(binary),
  ...comparisonNames.map(comparison),
  prelu,
  eluGradient,
  select,
  addN,
  cast,
];
