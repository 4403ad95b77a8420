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
      if (!isSoftware(adapter)) return { available: true, details };
      return { available: asked || named(), details, reason: "software adapter" };
    },
    start: async () => {
      await find(); // tfjs only registers a backend where it then finds `navigator.gpu`
      const { registerWebgpuBackend, stockBackendName } = await import("@dino/backend-webgpu");
      registerWebgpuBackend();
      await activate(stock ? stockBackendName : "webgpu");
    },
  };
}
