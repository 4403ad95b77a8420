import type * as tf from "@tensorflow/tfjs-core";
import { crossEntropyBackwardProgram, crossEntropyProgram } from "../shaders/cross-entropy.ts";
import { partialSums, sumOf } from "./sums.ts";
import { type WebgpuKernel, webgpuKernel } from "./webgpu-kernel.ts";

interface Inputs {
  readonly student: tf.TensorInfo;
  readonly targets: tf.TensorInfo;
}
interface Attributes {
  readonly temperature: number;
}

export const dinoCrossEntropyKernels: readonly WebgpuKernel[] = [
  webgpuKernel<Inputs, Attributes>(
    "DinoDinoCrossEntropy",
    ({ inputs: { student, targets }, attributes, backend }) => {
      const { scalars, groups } = plan(student, targets, attributes);
      const losses = backend.output([groups]);
      backend.run(crossEntropyProgram, {
        reads: [student, targets],
        writes: [losses],
        scalars,
        groups,
      });
      const loss = sumOf(backend, partialSums(backend, losses, false));
      backend.free(losses);
      return [loss];
    },
  ),

  webgpuKernel<Inputs & { readonly dy: tf.TensorInfo }, Attributes>(
    "DinoDinoCrossEntropyBackward",
    ({ inputs: { dy, student, targets }, attributes, backend }) => {
      const { scalars, groups } = plan(student, targets, attributes);
      const gradient = backend.output(student.shape);
      backend.run(crossEntropyBackwardProgram, {
        reads: [student, targets, dy],
        writes: [gradient],
        scalars,
        groups,
      });
      return [gradient];
    },
  ),
];

/** A group for each crop of each picture. */
function plan(student: tf.TensorInfo, targets: tf.TensorInfo, { temperature }: Attributes) {
  const [crops, batch, prototypes] = student.shape as [number, number, number];
  const globals = targets.shape[0] as number;
  const terms = globals * (crops - 1) * batch;
  const scalars = { crops, globals, batch, prototypes, temperature, terms };
  return { scalars, groups: crops * batch };
}
