import type * as tf from "@tensorflow/tfjs-core";
import type { ViewsInfo } from "../kernels.ts";
import { type NativeKernel, nativeKernel } from "./native-kernel.ts";

interface Inputs {
  readonly student: tf.TensorInfo;
  readonly targets: tf.TensorInfo;
}
interface Attributes {
  readonly temperature: number;
}

export const dinoCrossEntropyKernels: readonly NativeKernel[] = [
  nativeKernel<Inputs, Attributes>(
    "DinoDinoCrossEntropy",
    ({ inputs: { student, targets }, attributes: { temperature }, backend, native }) => {
      const loss = backend.output([]);
      const [from, wanted] = [backend.values(student), backend.values(targets)];
      backend.values(loss)[0] = native.dinoLoss(from, wanted, info(student, targets, temperature));
      return [loss];
    },
  ),

  nativeKernel<Inputs & { readonly dy: tf.TensorInfo }, Attributes>(
    "DinoDinoCrossEntropyBackward",
    ({ inputs: { dy, student, targets }, attributes: { temperature }, backend, native }) => {
      const gradient = backend.output(student.shape);
      native.dinoLossBack(
        backend.values(student),
        backend.values(targets),
        backend.values(dy)[0] as number,
        backend.values(gradient),
        info(student, targets, temperature),
      );
      return [gradient];
    },
  ),
];

function info(student: tf.TensorInfo, targets: tf.TensorInfo, temperature: number): ViewsInfo {
  const [crops, batch, prototypes] = student.shape as [number, number, number];
  return { crops, globals: targets.shape[0] as number, batch, prototypes, temperature };
}
