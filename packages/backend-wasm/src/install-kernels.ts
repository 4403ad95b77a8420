import { repairBackend } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { Heap } from "./heap.ts";
import { loadKernels } from "./load-kernels.ts";
import { attentionKernels } from "./operations/attention.ts";
import { attentionBlockKernels } from "./operations/attention-block.ts";
import { classAttentionBlockKernels } from "./operations/class-attention-block.ts";
import { classTokensKernels } from "./operations/class-tokens.ts";
import { dinoCrossEntropyKernels } from "./operations/dino-cross-entropy.ts";
import { headKernels } from "./operations/head.ts";
import { layerNormKernels } from "./operations/layer-norm.ts";
import { linearKernels } from "./operations/linear.ts";
import { mlpBlockKernels } from "./operations/mlp-block.ts";
import { patchEmbedKernels } from "./operations/patch-embed.ts";
import { updateKernels } from "./operations/updates.ts";
import { convolutionKernels } from "./stock/convolutions.ts";
import { moveKernels } from "./stock/moves.ts";
import { productKernels } from "./stock/products.ts";
import { rowKernels } from "./stock/rows.ts";
import type { StockBackend } from "./stock-backend.ts";
import type { WasmKernel } from "./wasm-kernel.ts";

const backendName = "wasm";

const ours: readonly WasmKernel[] = [
  ...attentionKernels,
  ...attentionBlockKernels,
  ...classAttentionBlockKernels,
  ...classTokensKernels,
  ...convolutionKernels,
  ...dinoCrossEntropyKernels,
  ...headKernels,
  ...layerNormKernels,
  ...linearKernels,
  ...mlpBlockKernels,
  ...moveKernels,
  ...patchEmbedKernels,
  ...productKernels,
  ...rowKernels,
  ...updateKernels,
];

/**
 * Puts our kernels in the place of those of tfjs's backend `wasm`, which must have been
 * initialised (`await tf.setBackend("wasm")`), and gives a function that puts those back. Throws
 * where the host has no SIMD.
 */
export async function installKernels(): Promise<() => void> {
  const backend = tf.findBackend(backendName) as StockBackend | null;
  if (backend?.wasm === undefined) {
    throw new Error("wasm kernels: expected tfjs's backend wasm, initialised, got none");
  }
  const { wasmMemory, asm } = backend.wasm;
  const heap = new Heap(backend, await loadKernels(wasmMemory ?? asm.memory));
  // What is not ours goes to the repaired kernels.
  repairBackend(backendName);
  const replaced = ours.map((kernel) => ({ kernel, stock: replace(kernel, heap) }));
  return () => {
    for (const { kernel, stock } of replaced) {
      tf.unregisterKernel(kernel.name, backendName);
      if (stock !== undefined) tf.registerKernel(stock);
    }
  };
}

/** Registers a kernel, and gives the one that was there. */
function replace({ name, run }: WasmKernel, heap: Heap): tf.KernelConfig | undefined {
  const stock = tf.getKernel(name, backendName);
  if (stock !== undefined) tf.unregisterKernel(name, backendName);
  tf.registerKernel({
    ...stock,
    kernelName: name,
    backendName,
    kernelFunc: (call) => {
      const before = () => (stock as tf.KernelConfig).kernelFunc(call);
      return run({ inputs: call.inputs, attributes: call.attrs, heap, before } as never);
    },
  });
  return stock;
}
