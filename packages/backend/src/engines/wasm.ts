import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "../engine.ts";
import { activate } from "./activate.ts";

/** The whole address space of WebAssembly, which tfjs's heap may grow to. */
const heapBytes = 2 ** 32;

type WasmFiles = Parameters<Module["setWasmPaths"]>[0];
type Module = typeof import("@tensorflow/tfjs-backend-wasm");

export interface WasmEngineOptions {
  /** Where the three .wasm files lie; nothing where tfjs finds them better by itself. */
  locate(): WasmFiles | undefined;
  /** Runs what initialises the module, and undoes what that should not have done. */
  initialise?(run: () => Promise<void>): Promise<void>;
}

/** tfjs compiled to WebAssembly: everywhere. */
export function wasmEngine({ locate, initialise = (run) => run() }: WasmEngineOptions): Engine {
  return {
    name: "wasm",
    order: 50,
    detect: async () => {
      if (!("WebAssembly" in globalThis)) return { available: false, reason: "no WebAssembly" };
      const module = await import("@tensorflow/tfjs-backend-wasm");
      const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
      const details = `${simd === true ? "SIMD" : "no SIMD"}, ${await threads(module)}`;
      return { available: true, details, memoryBytes: heapBytes };
    },
    start: async ({ wasmPath }) => {
      const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
      const files = wasmPath ?? locate();
      if (files !== undefined) setWasmPaths(files);
      await initialise(() => activate("wasm"));
    },
  };
}

/** How many threads it runs on, or before it has started, what is known of that. */
async function threads({ getThreadsCount }: Module): Promise<string> {
  if ((await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT")) !== true) return "1 thread";
  try {
    return `${getThreadsCount()} threads`;
  } catch {
    return "threads";
  }
}
