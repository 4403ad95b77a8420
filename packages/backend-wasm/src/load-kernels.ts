import { relaxed } from "./generated/relaxed.ts";
import { simd } from "./generated/simd.ts";
import type { Kernels } from "./kernels.ts";

/** What is used of WebAssembly, which neither Node's nor the language's own types describe. */
interface Compiler {
  validate(binary: Uint8Array): boolean;
  instantiate(
    binary: Uint8Array,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ): Promise<{ readonly instance: { readonly exports: unknown } }>;
}
declare const WebAssembly: Compiler | undefined;
declare function atob(base64: string): string;

/** The kernels' instructions: SIMD, or with fused multiplications and additions. */
export type Instructions = "SIMD" | "relaxed SIMD";

const binaries: readonly (readonly [Instructions, string])[] = [
  ["relaxed SIMD", relaxed],
  ["SIMD", simd],
];

/** The best instructions that this host has for the kernels; nothing where it has no SIMD. */
export function hostInstructions(): Instructions | undefined {
  return best()?.instructions;
}

/** The kernels on a memory that another module has allocated. Throws where the host has no SIMD. */
export async function loadKernels(memory: unknown): Promise<Kernels> {
  const found = best();
  if (found === undefined) throw new Error("wasm kernels: expected a host with SIMD, got none");
  const imports = { env: { memory, log: Math.log } };
  const { instance } = await (WebAssembly as Compiler).instantiate(found.binary, imports);
  return instance.exports as Kernels;
}

let looked: { readonly instructions: Instructions; readonly binary: Uint8Array } | undefined;

function best(): typeof looked {
  if (looked !== undefined || typeof WebAssembly === "undefined") return looked;
  for (const [instructions, text] of binaries) {
    const binary = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    if (WebAssembly.validate(binary)) {
      looked = { instructions, binary };
      break;
    }
  }
  return looked;
}
