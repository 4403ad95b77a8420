import * as tf from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../native-backend.ts";
import type { NativeKernel } from "../operations/native-kernel.ts";
import type { StockFunctions } from "./stock-functions.ts";
import {
  areFloats,
  broadcastStrides,
  none,
  runNative,
  sizeFromShape,
  stockKernel,
} from "./stock-kernel.ts";

type Matrices = { readonly a: tf.TensorInfo; readonly b: tf.TensorInfo };

interface Transposed {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Where an activation keeps a product, if that is all that it does. */
export function clamp(activation: string | undefined): readonly [number, number] | undefined {
  const most = Number.POSITIVE_INFINITY;
  if (!activation || activation === "linear") return [-most, most];
  if (activation === "relu") return [0, most];
  return activation === "relu6" ? [0, 6] : undefined;
}

/** The sizes of products of matrices, and which are multiplied. */
function plan(a: tf.TensorInfo, b: tf.TensorInfo, { transposeA, transposeB }: Transposed) {
  tf.util.assert(
    a.shape.length >= 2 && b.shape.length >= 2,
    () => `matMul: expected tensors of rank 2 at least, got [${a.shape}] and [${b.shape}]`,
  );
  const [aRows = 1, aColumns = 1] = a.shape.slice(-2);
  const [bRows = 1, bColumns = 1] = b.shape.slice(-2);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  tf.util.assert(
    k === inner,
    () =>
      `Error in matMul: inner shapes (${k}) and (${inner}) of Tensors with shapes ${a.shape} and ` +
      `${b.shape} and transposeA=${transposeA} and transposeB=${transposeB} must match.`,
  );
  const [aOuter, bOuter] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = tf.backend_util.assertAndGetBroadcastShape(aOuter, bOuter);
  // Rows of all left matrices are rows of one, where the right one is the same for all.
  const isOne = !transposeA && sizeFromShape(bOuter) === 1;
  return { m, k, n, aOuter, bOuter, outer, isOne, shape: [...outer, m, n] };
}

/** For each product, the number of its left and of its right matrix. */
function pairsOf(
  a: readonly number[],
  b: readonly number[],
  outer: readonly number[],
): Uint32Array {
  const [aSteps, bSteps] = [broadcastStrides(a, outer), broadcastStrides(b, outer)];
  const pairs = new Uint32Array(2 * sizeFromShape([...outer]));
  for (let i = 0; i < pairs.length / 2; i++) {
    let rest = i;
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const size = outer[axis] ?? 1;
      const index = rest % size;
      rest = (rest - index) / size;
      pairs[2 * i] = (pairs[2 * i] ?? 0) + index * (aSteps[axis] ?? 0);
      pairs[2 * i + 1] = (pairs[2 * i + 1] ?? 0) + index * (bSteps[axis] ?? 0);
    }
  }
  return pairs;
}

function multiply(
  backend: NativeBackend,
  native: StockFunctions,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  transposed: Transposed,
): tf.TensorInfo {
  const { m, k, n, aOuter, bOuter, outer, isOne, shape } = plan(a, b, transposed);
  const { transposeA, transposeB } = transposed;
  const y = backend.output(shape);
  const values = backend.values(y);
  if (values.length === 0) return y;
  const [left, right] = [backend.values(a), backend.values(b)];
  if (isOne) {
    const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const rows = values.length / n;
    native.stockProduct(left, right, none, values, rows, k, n, transposeB, least, most);
  } else {
    const pairs = pairsOf(aOuter, bOuter, outer);
    native.stockProducts(left, right, values, m, k, n, transposeA, transposeB, pairs);
  }
  return y;
}

const batchMatMul = stockKernel<Matrices, Transposed>(
  "BatchMatMul",
  ({ inputs: { a, b }, attributes, backend, native }) =>
    areFloats(a, b) ? multiply(backend, native, a, b, attributes) : undefined,
);

interface Fused extends Matrices {
  readonly bias?: tf.TensorInfo;
  readonly preluActivationWeights?: tf.TensorInfo;
}

interface FusedAttributes extends Transposed, Activation {}

const fusedMatMul = stockKernel<Fused, FusedAttributes>(
  "_FusedMatMul",
  ({ inputs, attributes, backend, native }) => {
    const { a, b, bias, preluActivationWeights } = inputs;
    if (!areFloats(a, b, bias, preluActivationWeights)) return undefined;
    const { k, n, isOne, shape } = plan(a, b, attributes);
    const bounds = clamp(attributes.activation);
    const isVector = !bias || (bias.shape.at(-1) === n && sizeFromShape(bias.shape) === n);
    if (!isOne || bounds === undefined || !isVector || k === 0 || sizeFromShape(shape) === 0) {
      const product = multiply(backend, native, a, b, attributes);
      return finish(backend, product, { bias, preluActivationWeights }, attributes);
    }
    const y = backend.output(shape);
    const values = backend.values(y);
    const [left, right] = [backend.values(a), backend.values(b)];
    const added = bias ? backend.values(bias) : none;
    const rows = values.length / n;
    native.stockProduct(left, right, added, values, rows, k, n, attributes.transposeB, ...bounds);
    return y;
  },
);

/** What comes behind a fused product or convolution. */
export interface Activation {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

const activations: Readonly<Record<string, string>> = {
  elu: "Elu",
  leakyrelu: "LeakyRelu",
  prelu: "Prelu",
  relu: "Relu",
  relu6: "Relu6",
  sigmoid: "Sigmoid",
};

/** Adds the bias and applies the activation, each by its own kernel. Consumes `y`. */
export function finish(
  backend: NativeBackend,
  y: tf.TensorInfo,
  {
    bias,
    preluActivationWeights,
  }: {
    readonly bias?: tf.TensorInfo | undefined;
    readonly preluActivationWeights?: tf.TensorInfo | undefined;
  },
  { activation, leakyreluAlpha }: Activation,
): tf.TensorInfo {
  const then = (name: string, inputs: tf.NamedTensorInfoMap, attributes?: unknown) => {
    const next = runNative(name, backend, inputs, attributes);
    backend.disposeData(result.dataId);
    result = next;
  };
  let result = y;
  if (bias) then("Add", { a: result, b: bias });
  if (!activation || activation === "linear") return result;
  const name = activations[activation];
  if (name === undefined) throw new Error(`activation: expected one of tfjs's, got ${activation}`);
  if (name === "Prelu") then(name, { x: result, alpha: preluActivationWeights });
  else then(name, { x: result }, { alpha: leakyreluAlpha });
  return result;
}

/** Products of matrices. */
export const productKernels: readonly NativeKernel[] = [batchMatMul, fusedMatMul];
