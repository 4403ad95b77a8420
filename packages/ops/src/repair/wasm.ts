import { fastMatMul } from "./wasm-mat-mul.ts";
import { fastSlice } from "./wasm-slice.ts";
import { fastColumnSum } from "./wasm-sum.ts";
import { fastTranspose } from "./wasm-transpose.ts";

/** What stock tfjs-wasm lacks, gets wrong or does slowly. */
export function repairWasm(): void {
  fastMatMul("wasm");
  fastTranspose("wasm");
  fastSlice("wasm");
  fastColumnSum("wasm");
}
