import * as tf from "@tensorflow/tfjs-core";
import type { Detection, Engine } from "../engine.ts";
import { activate } from "./activate.ts";
import { adapterName, fastestAdapter, type Gpu, isSoftware } from "./webgpu-adapter.ts";

export interface WebGpuEngineOptions {
  /** WebGPU itself, or why there is none. */
  find(): Promise<Gpu | Detection>;
  /** Whether somebody has named an adapter, so that any will do. */
  named?(): boolean;
}

/** tfjs on any GPU by WebGPU. */
export function webGpuEngine({ find, named = () => false }: WebGpuEngineOptions): Engine {
  return {
    name: "webgpu",
    order: 20,
    detect: async ({ asked }) => {
      const gpu = await find();
      if (!("requestAdapter" in gpu)) return gpu;
      const adapter = await fastestAdapter(gpu);
      if (adapter === null) return { available: false, reason: "no adapter" };
      const details = adapterName(adapter);
      if (!isSoftware(adapter)) return { available: true, details };
      return { available: asked || named(), details, reason: "software adapter" };
    },
    start: async () => {
      await find(); // tfjs only registers a backend where it then finds `navigator.gpu`
      await import("@tensorflow/tfjs-backend-webgpu");
      if (tf.findBackendFactory("webgpu") === null) {
        throw new Error("tfjs-backend-webgpu was imported before there was a WebGPU for it");
      }
      await activate("webgpu");
    },
  };
}
