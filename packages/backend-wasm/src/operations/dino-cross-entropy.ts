import type * as tf from "@tensorflow/tfjs-core";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";

interface Inputs {
  readonly student: tf.TensorInfo;
  readonly targets: tf.TensorInfo;
}
interface Attributes {
  readonly temperature: number;
}

export const dinoCrossEntropyKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, Attributes>(
    "DinoDinoCrossEntropy",
    ({ inputs: { student, targets }, attributes: { temperature }, heap }) => {
      const { crops, globals, batch, outcomes, terms } = sizes(student, targets);
      const loss = heap.output([]);
      const scratch = heap.scratch(4 * outcomes);
      const sum = heap.kernels.crossEntropy(
        ...[heap.at(student), heap.at(targets), crops, globals, batch, outcomes],
        ...([4 * batch * outcomes, temperature, scratch] as const),
      );
      heap.values(loss)[0] = sum / terms;
      return [loss];
    },
  ),

  wasmKernel<Inputs & { readonly dy: tf.TensorInfo }, Attributes>(
    "DinoDinoCrossEntropyBackward",
    ({ inputs: { dy, student, targets }, attributes: { temperature }, heap }) => {
      const { crops, globals, batch, outcomes, terms } = sizes(student, targets);
      const gradient = heap.output(student.shape);
      const scratch = heap.scratch(4 * outcomes);
      const factor = (heap.values(dy)[0] as number) / terms;
      heap.kernels.crossEntropyBack(
        ...[heap.at(student), heap.at(targets), crops, globals, batch, outcomes],
        ...([4 * batch * outcomes, temperature, factor, heap.at(gradient), scratch] as const),
      );
      return [gradient];
    },
  ),
];

function sizes(student: tf.TensorInfo, targets: tf.TensorInfo) {
  const [crops, batch, outcomes] = student.shape as [number, number, number];
  const globals = targets.shape[0] as number;
  // The pairs of different views, times the batch.
  return { crops, globals, batch, outcomes, terms: globals * (crops - 1) * batch };
}
