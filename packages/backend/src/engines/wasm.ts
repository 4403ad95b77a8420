import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "../engine.ts";
import { activate } from "./activate.ts";

/** The whole address space of WebAssembly, which tfjs's heap may grow to. */
const heapBytes = 2 ** 32;

/** Where it is false, tfjs takes its build without threads. */
const threadsFlag = "WASM_HAS_MULTITHREAD_SUPPORT";

type WasmFiles = Parameters<Module["setWasmPaths"]>[0];
type Module = typeof import("@tensorflow/tfjs-backend-wasm");

export interface WasmEngineOptions {
  /** Where the three .wasm files lie; nothing where tfjs finds them better by itself. */
  locate(): WasmFiles | undefined;
  /** Runs what initialises the module, and undoes what that should not have done. */
  initialise?(run: () => Promise<void>): Promise<void>;
  /** Whether tfjs's threads can be relied on, where the host has threads. Default true. */
  readonly threads?: boolean;
}

/** tfjs compiled to WebAssembly, with our kernels where the host has SIMD: everywhere. */
export function wasmEngine({
  locate,
  initialise = (run) => run(),
  threads: reliable = true,
}: WasmEngineOptions): Engine {
  const load = async () => {
    const module = await import("@tensorflow/tfjs-backend-wasm");
    if (!reliable) tf.env().set(threadsFlag, false);
    return module;
  };
  return {
    name: "wasm",
    order: 50,
    detect: async () => {
      if (!("WebAssembly" in globalThis)) return { available: false, reason: "no WebAssembly" };
      const module = await load();
      const details = describe(await instructions(), await threads(module));
      return { available: true, details, memoryBytes: heapBytes };
    },
    start: async ({ wasmPath }) => {
      const { setWasmPaths } = await load();
      const files = wasmPath ?? locate();
      if (files !== undefined) setWasmPaths(files);
      await initialise(() => activate("wasm"));
      await installOurs();
    },
  };
}

/** What our kernels are made of on this host; nothing where it has no SIMD, and tfjs's are left. */
async function instructions(): Promise<string | undefined> {
  const { hostInstructions } = await import("@dino/backend-wasm");
  return hostInstructions();
}

function describe(ours: string | undefined, threads: string): string {
  if (ours === undefined) return `no SIMD, ${threads}`;
  // Ours have one thread in any case.
  const others = threads === "1 thread" ? "" : `, tfjs's on ${threads}`;
  return `own kernels in ${ours}, 1 thread${others}`;
}

/** The backend that has our kernels, and what takes them away from it. */
let installed: { readonly on: tf.KernelBackend; readonly restore: () => void } | undefined;

/** Puts our kernels in the place of tfjs's, once for each time that the backend is made. */
async function installOurs(): Promise<void> {
  if (installed?.on === tf.backend()) return;
  const { hostInstructions, installKernels } = await import("@dino/backend-wasm");
  if (hostInstructions() === undefined) return;
  installed?.restore();
  installed = { on: tf.backend(), restore: await installKernels() };
}

/** How many threads tfjs runs on, or before it has started, what is known of that. */
async function threads({ getThreadsCount }: Module): Promise<string> {
  if ((await tf.env().getAsync(threadsFlag)) !== true) return "1 thread";
  try {
    const count = getThreadsCount();
    return count === 1 ? "1 thread" : `${count} threads`;
  } catch {
    return "threads";
  }
}
