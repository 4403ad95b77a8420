import type { Engine } from "../engine.ts";
import { cpuEngine } from "./cpu.ts";
import { wasmEngine } from "./wasm.ts";
import { webGpuEngine } from "./webgpu.ts";
import type { Gpu } from "./webgpu-adapter.ts";

/** The engines of a page or a worker. */
export const engines: readonly Engine[] = [
  webGpuEngine({
    find: async () => {
      const { gpu } = navigator;
      return gpu ?? { available: false, reason: "not in this browser" };
    },
  }),
  wasmEngine({ locate: wasmFiles }),
  cpuEngine(),
];

declare const navigator: { readonly gpu?: Gpu };

/** Written out, so that bundlers see the files and bring them along. */
function wasmFiles(): Record<string, string> {
  const simd = new URL(
    "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
    import.meta.url,
  ).href;
  return {
    "tfjs-backend-wasm.wasm": new URL(
      "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm",
      import.meta.url,
    ).href,
    "tfjs-backend-wasm-simd.wasm": simd,
    // tfjs wants to be told, and never loads it: our threads do without.
    "tfjs-backend-wasm-threaded-simd.wasm": simd,
  };
}
