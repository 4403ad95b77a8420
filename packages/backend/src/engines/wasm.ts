import type { Installed } from "@dino/backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "../engine.ts";
import { activate } from "./activate.ts";

/** The whole address space of WebAssembly, which tfjs's heap may grow to. */
const heapBytes = 2 ** 32;

/** Where it is false, tfjs takes its build without threads: ours are others. */
const threadsFlag = "WASM_HAS_MULTITHREAD_SUPPORT";

type WasmFiles = Parameters<Module["setWasmPaths"]>[0];
type Module = typeof import("@tensorflow/tfjs-backend-wasm");

export interface WasmEngineOptions {
  /** Where the three .wasm files lie; nothing where tfjs finds them better by itself. */
  locate(): WasmFiles | undefined;
  /** Runs what initialises the module, and undoes what that should not have done. */
  initialise?(run: () => Promise<void>): Promise<void>;
}

/** tfjs compiled to WebAssembly, with our kernels where the host has SIMD: everywhere. */
export function wasmEngine({ locate, initialise = (run) => run() }: WasmEngineOptions): Engine {
  return {
    name: "wasm",
    order: 50,
    detect: async () => {
      if (!("WebAssembly" in globalThis)) return { available: false, reason: "no WebAssembly" };
      return { available: true, details: await describe(), memoryBytes: heapBytes };
    },
    start: async ({ wasmPath, threads }) => {
      const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
      tf.env().set(threadsFlag, false);
      const files = wasmPath ?? locate();
      if (files !== undefined) setWasmPaths(files);
      const { hostInstructions, hostThreads, withSharedMemory } = await kernels();
      const shares = hostInstructions() !== undefined && hostThreads().canShare;
      const run = () => activate("wasm");
      await initialise(shares ? () => withSharedMemory(run) : run);
      await installOurs(threads);
    },
  };
}

const kernels = () => import("@dino/backend-wasm");

/** What our kernels are made of, and how many threads they have or, before they start, would have. */
async function describe(): Promise<string> {
  const { hostInstructions, hostThreads } = await kernels();
  const instructions = hostInstructions();
  if (instructions === undefined) return "no SIMD, 1 thread";
  const { threads, reason } = isInstalled() ? (installed as Running) : hostThreads();
  const why = reason === undefined ? "" : `: ${reason}`;
  return `own kernels in ${instructions}, ${threads} ${threads === 1 ? "thread" : "threads"}${why}`;
}

/** Our kernels, and the backend that has them. */
interface Running extends Installed {
  readonly on: tf.KernelBackend;
  readonly asked: number | undefined;
}
let installed: Running | undefined;

function isInstalled(): boolean {
  return tf.getBackend() === "wasm" && installed?.on === tf.backend();
}

/** Puts our kernels in the place of tfjs's, once for each time that the backend is made. */
async function installOurs(threads: number | undefined): Promise<void> {
  if (isInstalled() && installed?.asked === threads) return;
  const { hostInstructions, installKernels } = await kernels();
  if (hostInstructions() === undefined) return;
  installed?.restore();
  installed = undefined;
  installed = { ...(await installKernels({ threads })), on: tf.backend(), asked: threads };
}
