import { repairBackend } from "@dino/ops";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { requestDevice } from "./device.ts";
import { failuresOf, readOrTell } from "./failures.ts";
import { addKernels } from "./operations/add.ts";
import { attentionKernels } from "./operations/attention.ts";
import { attentionBlockKernels } from "./operations/attention-block.ts";
import { batchNormKernels } from "./operations/batch-norm.ts";
import { classAttentionBlockKernels } from "./operations/class-attention-block.ts";
import { conv2dKernels } from "./operations/conv2d.ts";
import { dinoCrossEntropyKernels } from "./operations/dino-cross-entropy.ts";
import { classTokensKernels } from "./operations/first-rows.ts";
import { headKernels } from "./operations/head.ts";
import { imageTensorKernels } from "./operations/image-tensor.ts";
import { layerNormKernels } from "./operations/layer-norm.ts";
import { linearKernels } from "./operations/linear.ts";
import { matMulKernels } from "./operations/mat-mul.ts";
import { maxPool2dKernels } from "./operations/max-pool2d.ts";
import { mlpBlockKernels } from "./operations/mlp-block.ts";
import { patchEmbedKernels } from "./operations/patch-embed.ts";
import { updateKernels } from "./operations/updates.ts";
import { viewsKernels } from "./operations/views.ts";
import type { WebgpuKernel } from "./operations/webgpu-kernel.ts";
import { DinoWebGPUBackend, type Precision } from "./webgpu-backend.ts";

export const backendName = "webgpu";

/** tfjs's own kernels on a device of tfjs's own: what ours are compared with. */
export const stockBackendName = "webgpu-stock";

const kernels: readonly WebgpuKernel[] = [
  ...addKernels,
  ...attentionKernels,
  ...attentionBlockKernels,
  ...batchNormKernels,
  ...classAttentionBlockKernels,
  ...classTokensKernels,
  ...conv2dKernels,
  ...dinoCrossEntropyKernels,
  ...headKernels,
  ...imageTensorKernels,
  ...layerNormKernels,
  ...linearKernels,
  ...matMulKernels,
  ...maxPool2dKernels,
  ...mlpBlockKernels,
  ...patchEmbedKernels,
  ...updateKernels,
  ...viewsKernels,
];

export interface WebgpuBackendOptions {
  /** How the backend computes from now on: fp32 unless given. */
  readonly precision?: Precision | undefined;
}

let registered = false;
let precision: Precision = "fp32";

/**
 * Registers the backend `webgpu` with tfjs in place of the stock one, with all kernels of that one
 * and ours, on a device of its own; the stock one goes on as `webgpu-stock`. There must be a
 * `navigator.gpu` before this package is imported. Called again it changes the precision alone.
 */
export function registerWebgpuBackend(options: WebgpuBackendOptions = {}): void {
  precision = options.precision ?? "fp32";
  const running: unknown = tf.engine().registry[backendName];
  if (running instanceof DinoWebGPUBackend) running.precision = precision;
  if (registered) return;
  const stock = tf.findBackendFactory(backendName);
  if (stock === null) {
    throw new Error("WebGPU: expected navigator.gpu before this package is imported, got none");
  }
  registered = true;
  tf.copyRegisteredKernels(backendName, stockBackendName);
  tf.registerBackend(stockBackendName, async () => heeding((await stock()) as WebGPUBackend), 0);
  repairBackend(backendName);
  for (const kernel of kernels) register(kernel);
  tf.removeBackend(backendName);
  tf.registerBackend(backendName, start, 3);
}

function register({ name, run, takes = () => true }: WebgpuKernel): void {
  const before = tf.getKernel(name, backendName);
  if (before !== undefined) tf.unregisterKernel(name, backendName);
  tf.registerKernel({
    kernelName: name,
    backendName,
    kernelFunc: (call) => {
      const { inputs, attrs, backend } = call;
      if (before !== undefined && !takes(inputs as never)) return before.kernelFunc(call);
      return run({ inputs, attributes: attrs, backend: backend as DinoWebGPUBackend } as never);
    },
  });
}

/** A backend on a new device. When that is lost, the next one who asks for the backend gets another. */
async function start(): Promise<DinoWebGPUBackend> {
  const { device, info } = await requestDevice();
  const backend = new DinoWebGPUBackend(device, info);
  backend.precision = precision;
  device.lost.then(() => {
    if (tf.engine().registry[backendName] !== backend) return;
    tf.removeBackend(backendName);
    tf.registerBackend(backendName, start, 3);
  });
  return backend;
}

/** A backend of tfjs's own, which would read zeros after the device has refused something. */
function heeding(backend: WebGPUBackend): WebGPUBackend {
  const failures = failuresOf(backend.device, () => "out of memory");
  const read = backend.read.bind(backend);
  backend.read = (dataId) => readOrTell(() => read(dataId), failures);
  return backend;
}
