import "@tensorflow/tfjs"; // the cpu backend, and tfjs-core's gradients
import "@tensorflow/tfjs-backend-wasm";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect } from "vitest";
import { hasNative, loadNative } from "./native.ts";
import { hasTensorflow, loadTensorflow } from "./tensorflow.ts";
import { startWasm } from "./wasm.ts";
import { loadWebgpu, webgpuAdapter } from "./webgpu.ts";

setWasmPaths(
  `${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`,
);
await tf.setBackend("cpu"); // wasm, which would be chosen, is not there before someone waits for it

/** Whether tests run on WebGPU and nothing else: those of the package that computes there. */
const onWebgpuAlone = process.env.DINO_TEST_BACKENDS === "webgpu";

/** tfjs's kernels for wasm, repaired but without ours: what a host without SIMD is left with. */
const stockWasm = "stock wasm";

/** The backends that every numeric test runs on. With `DINO_STOCK_WASM=1` wasm without our kernels too. */
export const backends: readonly string[] = onWebgpuAlone
  ? []
  : [
      "cpu",
      "wasm",
      ...(process.env.DINO_STOCK_WASM === "1" ? [stockWasm] : []),
      ...(hasNative ? ["native"] : []),
      ...(hasTensorflow ? ["tensorflow"] : []),
    ];

export interface EveryBackendOptions {
  /**
   * The tests wait for what they read (`await tensor.data()`), so that they can run on WebGPU
   * too, where Node has no other way. It is present when `DINO_WEBGPU_ADAPTER` names an adapter.
   */
  readonly waits?: boolean;
}

/**
 * Runs the tests that `define` makes on every backend present. What they leave is freed behind
 * them all, and the cpu backend is active again.
 */
export function onEveryBackend(
  define: (backend: string) => void,
  { waits = false }: EveryBackendOptions = {},
): void {
  const onWebgpu = waits && (onWebgpuAlone || webgpuAdapter !== undefined);
  const present = onWebgpu ? [...backends, "webgpu"] : [...backends];
  // Where an adapter must be and is not, the tests fail.
  const isMissing = onWebgpuAlone && webgpuAdapter === undefined && process.env.CI !== "true";
  describe.skipIf(isMissing).each(present)("on %s", (backend) => {
    const name = backend === stockWasm ? "wasm" : backend;
    beforeAll(async () => {
      if (backend === "webgpu") await loadWebgpu();
      if (backend === "native") await loadNative();
      if (backend === "tensorflow") await loadTensorflow();
      const restore = backend === "wasm" ? await startWasm() : () => undefined;
      expect(await tf.setBackend(name)).toBe(true);
      tf.engine().startScope();
      return async () => {
        tf.engine().endScope();
        restore();
        await tf.setBackend("cpu");
      };
    });
    define(name);
  });
}
