import { type Binary, decode, forSharedMemory } from "./binary.ts";
import { relaxed } from "./generated/relaxed.ts";
import { simd } from "./generated/simd.ts";
import type { Kernels } from "./kernels.ts";

/** What is used of WebAssembly, which the language's own types do not describe. */
interface Compiler {
  validate(bytes: Uint8Array): boolean;
  compile(bytes: Uint8Array): Promise<unknown>;
  instantiate(
    module: unknown,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ): Promise<{ readonly exports: unknown }>;
}
declare const WebAssembly: Compiler | undefined;

/** A memory that another module has allocated, perhaps one that threads share. */
export interface Memory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

/** The kernels' instructions: SIMD, or with fused multiplications and additions. */
export type Instructions = "SIMD" | "relaxed SIMD";

const binaries: readonly (readonly [Instructions, Binary])[] = [
  ["relaxed SIMD", relaxed],
  ["SIMD", simd],
];

/** The best instructions that this host has for the kernels; nothing where it has no SIMD. */
export function hostInstructions(): Instructions | undefined {
  return best()?.instructions;
}

/** The kernels on one thread, and what other threads make theirs of. */
export interface Loaded {
  readonly kernels: Kernels;
  readonly module: unknown;
}

/** The kernels on another module's memory. Throws where the host has no SIMD. */
export async function loadKernels(memory: Memory): Promise<Loaded> {
  const found = best();
  if (found === undefined) throw new Error("wasm kernels: expected a host with SIMD, got none");
  const { binary, bytes } = found;
  const compiler = WebAssembly as Compiler;
  const module = await compiler.compile(isShared(memory) ? forSharedMemory(bytes, binary) : bytes);
  const { exports } = await compiler.instantiate(module, { env: { memory, log: Math.log } });
  return { kernels: exports as Kernels, module };
}

/** Whether threads share it. */
export function isShared({ buffer }: Memory): boolean {
  return typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
}

interface Found {
  readonly instructions: Instructions;
  readonly binary: Binary;
  readonly bytes: Uint8Array;
}
let looked: Found | undefined;

function best(): Found | undefined {
  if (looked !== undefined || typeof WebAssembly === "undefined") return looked;
  for (const [instructions, binary] of binaries) {
    const bytes = decode(binary);
    if (!WebAssembly.validate(bytes)) continue;
    looked = { instructions, binary, bytes };
    break;
  }
  return looked;
}
