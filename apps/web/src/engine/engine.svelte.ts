import { address } from "../address.svelte.ts";
import type { Remote } from "../remote/connect.ts";
import type { LastingEngine, Restart } from "./lasting-engine.ts";

/** What the workers say about the engine that runs. */
class EngineState {
  /** The line of `startBackend`, or why there is none. */
  line = $state("");
  failed = $state(false);
  /** That a graphics device was lost, and what was done; empty where none was. */
  loss = $state("");
  /** Whether somebody has read and closed that. */
  lossRead = $state(false);

  /** The name in the line: "wasm". */
  get name(): string {
    return /^backend: (\S+)/.exec(this.line)?.[1] ?? "";
  }

  /** What the engine runs on: "own kernels in SIMD, 2 threads". */
  get details(): string {
    return /^backend: \S+ \(([^)]*)\)/.exec(this.line)?.[1] ?? "";
  }

  /** Those that were passed over, and why. */
  get passedOver(): string {
    return / · passed over: (.*?)(?: · |$)/.exec(this.line)?.[1] ?? "";
  }

  /** Its name as people know it. */
  get label(): string {
    return labels[this.name] ?? "";
  }

  /** Starts a worker's engine, as the page's address asks for it. An Error where that cannot be. */
  async startIn(worker: Remote<LastingEngine["methods"]>): Promise<void> {
    worker.losses((restart) => this.#restarted(restart)).catch(() => {}); // it ends with its worker
    this.line = await worker.start(address.get("engine", "auto"), askedPrecision());
  }

  #restarted({ line, reason, same }: Restart): void {
    this.line = line;
    this.loss = same
      ? `The graphics device was lost (${reason}). ${this.label} was started again.`
      : `The graphics device was lost (${reason}), and no other lasted. ${this.label} runs instead, until the page is reloaded.`;
    this.lossRead = false;
  }
}

const labels: Readonly<Record<string, string>> = {
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  cpu: "JavaScript",
};

export const engine = new EngineState();

/** In how many bits the page's address asks for products to be computed. */
export const askedPrecision = () => (address.get("precision", "fp32") === "f16" ? "f16" : "fp32");

/** What can be asked for, and what a person gets with it. */
export const engines = [
  { name: "auto", label: "Automatic", note: "the fastest that starts here" },
  { name: "webgpu", label: "WebGPU", note: "the graphics card" },
  { name: "wasm", label: "WebAssembly", note: "the processor" },
] as const;
