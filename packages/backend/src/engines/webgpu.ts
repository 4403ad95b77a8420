import type { Detection, Engine } from "../engine.ts";
import { activate } from "./activate.ts";
import { adapterName, fastestAdapter, type Gpu, isSoftware } from "./webgpu-adapter.ts";

export interface WebGpuEngineOptions {
  /** WebGPU itself, or why there is none. */
  find(): Promise<Gpu | Detection>;
  /** Whether somebody has named an adapter, so that any will do. */
  named?(): boolean;
  readonly stock?: boolean;
}

/** Our kernels on any GPU by WebGPU; with `stock`, tfjs's own in their stead, to compare with. */
export function webGpuEngine({
  find,
  named = () => false,
  stock = false,
}: WebGpuEngineOptions): Engine {
  return {
    name: stock ? "webgpu-stock" : "webgpu",
    order: stock ? 70 : 20,
    detect: async ({ asked }) => {
      const gpu = await find();
      if (!("requestAdapter" in gpu)) return gpu;
      const adapter = await fastestAdapter(gpu);
      if (adapter === null) return { available: false, reason: "no adapter" };
      const details = `${adapterName(adapter)}${stock ? ", tfjs's own kernels" : ""}`;
      const found: Detection = {
        available: true,
        details,
        ...(!stock && { precisions: ["fp32", "f16"], withoutBf16: "WebGPU's 16 bits are f16" }),
      };
      if (!isSoftware(adapter)) return found;
      return { ...found, available: asked || named(), reason: "software adapter" };
    },
    start: async ({ precision }) => {
      await find(); // tfjs only registers a backend where it then finds `navigator.gpu`
      const { registerWebgpuBackend, stockBackendName } = await import("@dino/backend-webgpu");
      if (precision === "bf16") throw new Error("precision: expected fp32 or f16, got bf16");
      registerWebgpuBackend({ precision });
      await activate(stock ? stockBackendName : "webgpu");
    },
  };
}
