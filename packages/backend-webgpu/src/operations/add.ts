import * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import { addProgram } from "../shaders/add.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { groupsFor, sizeOf } from "./size-of.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

const program = remembered(addProgram);

/** How many tensors a shader may read beside the one it writes: what every adapter allows. */
const mostInputs = 7;

/**
 * tfjs's own sums, of float32 tensors of one shape: the tape adds gradients up by them, step by step
 * the same ones.
 */
export const addKernels: readonly WebgpuKernel[] = [
  webgpuKernel<{ readonly a: tf.TensorInfo; readonly b: tf.TensorInfo }>(
    tf.Add,
    ({ inputs: { a, b }, backend }) => sum(backend, [a, b]),
    ({ a, b }) => areAlike([a, b]),
  ),
  webgpuKernel<readonly tf.TensorInfo[]>(
    tf.AddN,
    ({ inputs, backend }) => sum(backend, inputs),
    areAlike,
  ),
];

function areAlike(tensors: readonly tf.TensorInfo[]): boolean {
  const [first] = tensors;
  return tensors.every(
    ({ dtype, shape }) =>
      dtype === "float32" && tf.util.arraysEqual(shape, (first as tf.TensorInfo).shape),
  );
}

function sum(backend: DinoWebGPUBackend, tensors: readonly tf.TensorInfo[]): tf.TensorInfo {
  if (tensors.length > mostInputs) {
    const parts: tf.TensorInfo[] = [];
    for (let i = 0; i < tensors.length; i += mostInputs) {
      parts.push(sum(backend, tensors.slice(i, i + mostInputs)));
    }
    const all = sum(backend, parts);
    backend.free(...parts);
    return all;
  }
  const [first] = tensors as readonly [tf.TensorInfo];
  const y = backend.output(first.shape);
  const size = sizeOf(y);
  backend.run(program(tensors.length), {
    reads: tensors,
    writes: [y],
    scalars: { size },
    groups: groupsFor(size),
  });
  return y;
}
