import { repairBackend } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { requestDevice } from "./device.ts";
import { attentionKernels } from "./operations/attention.ts";
import { attentionBlockKernels } from "./operations/attention-block.ts";
import { classAttentionBlockKernels } from "./operations/class-attention-block.ts";
import { dinoCrossEntropyKernels } from "./operations/dino-cross-entropy.ts";
import { classTokensKernels } from "./operations/first-rows.ts";
import { headKernels } from "./operations/head.ts";
import { layerNormKernels } from "./operations/layer-norm.ts";
import { linearKernels } from "./operations/linear.ts";
import { matMulKernels } from "./operations/mat-mul.ts";
import { mlpBlockKernels } from "./operations/mlp-block.ts";
import { patchEmbedKernels } from "./operations/patch-embed.ts";
import { updateKernels } from "./operations/updates.ts";
import type { WebgpuKernel } from "./operations/webgpu-kernel.ts";
import { DinoWebGPUBackend } from "./webgpu-backend.ts";

export const backendName = "webgpu";

const kernels: readonly WebgpuKernel[] = [
  ...attentionKernels,
  ...attentionBlockKernels,
  ...classAttentionBlockKernels,
  ...classTokensKernels,
  ...dinoCrossEntropyKernels,
  ...headKernels,
  ...layerNormKernels,
  ...linearKernels,
  ...matMulKernels,
  ...mlpBlockKernels,
  ...patchEmbedKernels,
  ...updateKernels,
];

let registered = false;

/**
 * Registers the backend `webgpu` with tfjs in place of the stock one, with all kernels of that one
 * and ours, on a device of its own. There must be a `navigator.gpu`.
 */
export function registerWebgpuBackend(): void {
  if (registered) return;
  registered = true;
  repairBackend(backendName);
  for (const { name, run } of kernels) {
    if (tf.getKernel(name, backendName) !== undefined) tf.unregisterKernel(name, backendName);
    tf.registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) =>
        run({ inputs, attributes: attrs, backend: backend as DinoWebGPUBackend } as never),
    });
  }
  if (tf.findBackendFactory(backendName) !== null) tf.removeBackend(backendName);
  tf.registerBackend(
    backendName,
    async () => {
      const { device, info } = await requestDevice();
      return new DinoWebGPUBackend(device, info);
    },
    3,
  );
}
