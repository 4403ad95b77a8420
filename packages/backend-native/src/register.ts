import * as tf from "@tensorflow/tfjs-core";
import { addon } from "./addon.ts";
import { NativeBackend } from "./native-backend.ts";
import { attentionKernels } from "./operations/attention.ts";
import { attentionBlockKernels } from "./operations/attention-block.ts";
import { classAttentionBlockKernels } from "./operations/class-attention-block.ts";
import { dinoCrossEntropyKernels } from "./operations/dino-cross-entropy.ts";
import { headKernels } from "./operations/head.ts";
import { layerNormKernels } from "./operations/layer-norm.ts";
import { linearKernels } from "./operations/linear.ts";
import { mlpBlockKernels } from "./operations/mlp-block.ts";
import type { NativeKernel } from "./operations/native-kernel.ts";
import { patchEmbedKernels } from "./operations/patch-embed.ts";
import { shapeKernels } from "./operations/shapes.ts";
import { updateKernels } from "./operations/updates.ts";
import { stockKernels } from "./stock/stock-kernels.ts";

export const backendName = "native";

const kernels: readonly NativeKernel[] = [
  ...stockKernels,
  ...attentionKernels,
  ...attentionBlockKernels,
  ...classAttentionBlockKernels,
  ...dinoCrossEntropyKernels,
  ...headKernels,
  ...layerNormKernels,
  ...linearKernels,
  ...mlpBlockKernels,
  ...patchEmbedKernels,
  ...shapeKernels,
  ...updateKernels,
];

/** Registers the backend with tfjs, once. Throws where the addon does not load. */
export function registerNativeBackend(): void {
  if (tf.findBackendFactory(backendName) !== null) return;
  const native = addon();
  tf.copyRegisteredKernels("cpu", backendName);
  for (const { name, run } of kernels) {
    if (tf.getKernel(name, backendName) !== undefined) tf.unregisterKernel(name, backendName);
    tf.registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) =>
        run({ inputs, attributes: attrs, backend: backend as NativeBackend, native } as never),
    });
  }
  tf.registerBackend(backendName, () => new NativeBackend());
}
