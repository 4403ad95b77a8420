import * as tf from "@tensorflow/tfjs-core";
import { blockKernels } from "./block-kernels.ts";
import { kernelPrograms } from "./kernel-programs.ts";
import { nodeBackend, works } from "./node-backend.ts";
import { operationKernels } from "./operation-kernels.ts";
import { type LoadOptions, loadPrograms } from "./programs.ts";
import { repairStockKernels } from "./repairs.ts";
import { replaceStockKernels } from "./stock-kernels.ts";

export type KernelOptions = LoadOptions;

let isDone = false;

/**
 * Mends tfjs-node's kernels, and registers others where TensorFlow has something faster: for
 * operations of `@dino/ops` and for tfjs's own, by operations that tfjs has no name for and by
 * XLA. That on a CPU alone: on a GPU the graphs that programs are run in would fetch every tensor,
 * and the operations are those of a CPU.
 */
export function registerTensorflowKernels(options: KernelOptions = {}): void {
  if (isDone) return;
  isDone = true;
  repairStockKernels();
  if (nodeBackend().isUsingGpuDevice) return;
  replaceStockKernels();
  if (!hasXla()) return;
  const kernels = { ...operationKernels(options), ...blockKernels(options) };
  for (const [name, kernel] of Object.entries(kernels)) {
    const kernelName = `Dino${name}`;
    const backendName = "tensorflow";
    // A composite, where the operation has been used before.
    if (tf.getKernel(kernelName, backendName)) tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => tf.tidy(() => kernel(inputs as never, attrs as never)),
    });
  }
}

/** Whether this build of TensorFlow can compile. */
function hasXla(): boolean {
  const { gelu } = kernelPrograms;
  return works(() => loadPrograms({ gelu }, { smallest: 0 }).run("gelu", [tf.ones([1])]));
}
