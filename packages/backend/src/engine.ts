import type { Precision } from "./precision.ts";

/** One way to run tfjs on a machine. */
export interface Engine {
  /** What it is asked for by, and the name of its tfjs backend. */
  readonly name: string;
  /**
   * Its place in line when none is asked for: the smallest goes first. Those that come with this
   * package: tensorflow 10 (40 without a GPU), webgpu 20, native 30, wasm 50, cpu 60; and behind
   * them webgpu-stock 70, which is there to be compared with.
   */
  readonly order: number;
  /** Whether it would start here, found out without making it the active backend. */
  detect(options: DetectOptions): Promise<Detection>;
  /**
   * Makes it tfjs's active backend. May be called again after another was active, or to change
   * the precision.
   */
  start(options: StartOptions): Promise<void>;
}

export interface DetectOptions {
  /**
   * Whether somebody wants this very engine. If so, a slow look is worth its time and a poor
   * substitute will do; if not, what it costs to look should be little.
   */
  readonly asked: boolean;
}

/** What an engine finds out about itself. */
export interface Detection {
  readonly available: boolean;
  /** Its place in line on this machine, where that is another than the engine's. */
  readonly order?: number;
  /** Why it is not available, or why others go before it: "not installed". */
  readonly reason?: string;
  /** The command that would make it available. */
  readonly install?: string;
  /** What it runs on: "own kernels in SIMD, 2 threads". */
  readonly details?: string;
  /** Bytes that its tensors can take up at most, where that can be known. */
  readonly memoryBytes?: number;
  /** How it can compute here; where this is absent, in fp32 alone. */
  readonly precisions?: readonly Precision[];
  /** Why there is no bf16, where that needs saying: "the processor lacks AVX-512 BF16". */
  readonly withoutBf16?: string;
  /** What whoever runs it should know beforehand. */
  readonly warning?: string;
  /** Whether a processor plays the graphics card. */
  readonly software?: boolean;
}

interface CommonOptions {
  /**
   * Where tfjs's three .wasm files lie: a path or URL to put in front of their names. By default
   * they are found in the installed package, in a page by the bundler.
   */
  readonly wasmPath?: string | undefined;
  /**
   * How many threads compute on a CPU, on wasm and native. Default: as many as there are cores.
   * Results do not depend on it.
   */
  readonly threads?: number | undefined;
}

/** What `startBackend` is asked for. */
export interface BackendOptions extends CommonOptions {
  /** How to compute inside; `auto` is bf16 where the engine has it. By default fp32. */
  readonly precision?: Precision | "auto" | undefined;
}

/** What an engine is started with. */
export interface StartOptions extends CommonOptions {
  /** One of those that it has said it can, as `startBackend` has resolved it; fp32 if absent. */
  readonly precision?: Precision | undefined;
}
