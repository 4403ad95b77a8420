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
import { startPool, threadsOn } from "./threads/start-pool.ts";
import { kernelFunctions, threadedKernels } from "./threads/threaded-kernels.ts";
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

export interface InstallOptions {
  /** How many threads compute, this one included. Default: as many as there are cores. */
  readonly threads?: number | undefined;
  /**
   * Nanoseconds of work, roughly, that are worth a thread's while. Default: 20,000, as long as it
   * may take to wake one; with 0 threads share whatever can be shared, as tests want it.
   */
  readonly partTime?: number | undefined;
}

/** The kernels in place. */
export interface Installed {
  /** How many threads compute. */
  readonly threads: number;
  /** Why there is no more than one, where more were to be expected. */
  readonly reason?: string;
  /** Puts tfjs's kernels back, and ends the threads. */
  restore(): void;
}

/**
 * Puts our kernels in the place of those of tfjs's backend `wasm`, which must have been
 * initialised (`await tf.setBackend("wasm")`): inside of `withSharedMemory`, for more than one
 * thread. Results do not depend on their number. Throws where the host has no SIMD.
 */
export async function installKernels({
  threads,
  partTime,
}: InstallOptions = {}): Promise<Installed> {
  const backend = tf.findBackend(backendName) as StockBackend | null;
  if (backend?.wasm === undefined) {
    throw new Error("wasm kernels: expected tfjs's backend wasm, initialised, got none");
  }
  const { wasmMemory, asm } = backend.wasm;
  const memory = wasmMemory ?? asm.memory;
  const { kernels, module } = await loadKernels(memory);
  const { pool, reason } = await startPool({
    ...threadsOn(memory, threads),
    ...{ module, memory, functions: kernelFunctions(kernels) },
  });
  const heap = new Heap(backend, threadedKernels(kernels, pool, partTime), pool.threads);
  // What is not ours goes to the repaired kernels.
  repairBackend(backendName);
  const replaced = ours.map((kernel) => ({ kernel, stock: replace(kernel, heap) }));
  const { dispose } = backend;
  const close = () => {
    heap.close();
    pool.close();
  };
  backend.dispose = () => {
    close();
    dispose.call(backend);
  };
  const restore = () => {
    for (const { kernel, stock } of replaced) {
      tf.unregisterKernel(kernel.name, backendName);
      if (stock !== undefined) tf.registerKernel(stock);
    }
    backend.dispose = dispose;
    close();
  };
  return { threads: pool.threads, ...(reason !== undefined && { reason }), restore };
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
