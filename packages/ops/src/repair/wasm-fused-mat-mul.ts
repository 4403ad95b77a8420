import * as tf from "@tensorflow/tfjs-core";
import type { WasmHeap } from "../wasm/heap.ts";
import { replaceKernel } from "./replace-kernel.ts";
import { withRightOperand } from "./wasm-mat-mul.ts";

interface Inputs {
  readonly a: tf.Tensor;
  readonly b: tf.Tensor;
  readonly bias?: tf.Tensor;
  readonly preluActivationWeights?: tf.Tensor;
}

interface Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation: string;
  readonly leakyreluAlpha: number;
}

/**
 * Makes `fused.matMul` right where its operands are transposed or batched: the stock kernel adds
 * the bias to every block of partial sums, and clamps those too.
 */
export function rightFusedMatMul(backendName: string): void {
  replaceKernel("_FusedMatMul", backendName, (stock) => (call) => {
    const { a, b, bias, preluActivationWeights } = call.inputs as unknown as Inputs;
    const { transposeA, transposeB, ...attributes } = call.attrs as unknown as Attributes;
    const batch = tf.util.sizeFromShape([...a.shape.slice(0, -2), ...b.shape.slice(0, -2)]);
    if (!transposeA && !transposeB && batch === 1) {
      return withRightOperand(b, call.backend as WasmHeap, (right) =>
        stock({ ...call, inputs: { ...call.inputs, b: right } }),
      );
    }
    return tf.tidy(() => {
      const product = tf.matMul(a, b, transposeA, transposeB);
      const sum = bias ? tf.add(product, bias) : product;
      return activate(sum, attributes, preluActivationWeights);
    });
  });
}

function activate(
  x: tf.Tensor,
  { activation, leakyreluAlpha }: Pick<Attributes, "activation" | "leakyreluAlpha">,
  slopes: tf.Tensor | undefined,
): tf.Tensor {
  switch (activation) {
    case "relu":
      return tf.relu(x);
    case "relu6":
      return tf.relu6(x);
    case "sigmoid":
      return tf.sigmoid(x);
    case "elu":
      return tf.elu(x);
    case "leakyrelu":
      return tf.leakyRelu(x, leakyreluAlpha);
    case "prelu":
      return tf.prelu(x, slopes as tf.Tensor);
    default:
      return x;
  }
}
