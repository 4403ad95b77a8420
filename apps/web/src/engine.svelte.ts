/** What the workers say about the engine that runs. */
class EngineState {
  /** The line of `startBackend`, or why there is none. */
  line = $state("");
  failed = $state(false);

  /** The name in the line: "wasm". */
  get name(): string {
    return /^backend: (\S+)/.exec(this.line)?.[1] ?? "";
  }

  /** What the engine runs on: "own kernels in SIMD, 1 thread". */
  get details(): string {
    return /^backend: \S+ \(([^)]*)\)/.exec(this.line)?.[1] ?? "";
  }

  /** Those that were passed over, and why. */
  get passedOver(): string {
    return / · passed over: (.*?)(?: · |$)/.exec(this.line)?.[1] ?? "";
  }
}

export const engine = new EngineState();

/** What can be asked for, and what a person gets with it. */
export const engines = [
  { name: "auto", label: "Automatic", note: "the fastest that starts here" },
  { name: "webgpu", label: "WebGPU", note: "the graphics card" },
  { name: "wasm", label: "WebAssembly", note: "the processor" },
] as const;
