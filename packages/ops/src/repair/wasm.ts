import { fastMatMul } from "./wasm-mat-mul.ts";

/** What stock tfjs-wasm lacks, gets wrong or does slowly. */
export function repairWasm(): void {
  fastMatMul("wasm");
}
