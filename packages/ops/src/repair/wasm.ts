import { attentionOfShortSequences } from "../wasm/attention.ts";
import { geluFromTable } from "../wasm/gelu.ts";
import { cumsumFromTheEnd } from "./cumsum.ts";
import { convolutionGradients } from "./wasm-convolution.ts";
import { depthwiseGradients } from "./wasm-depthwise.ts";
import { rightFusedMatMul } from "./wasm-fused-mat-mul.ts";
import { fastMatMul } from "./wasm-mat-mul.ts";
import { rightMaxPoolGradient } from "./wasm-max-pool.ts";
import { einsum, unsortedSegmentSum } from "./wasm-missing.ts";
import { fastSlice } from "./wasm-slice.ts";
import { fastColumnSum } from "./wasm-sum.ts";
import { fastTranspose } from "./wasm-transpose.ts";

const repairs = [
  // Missing.
  convolutionGradients,
  depthwiseGradients,
  einsum,
  unsortedSegmentSum,
  // Wrong.
  cumsumFromTheEnd,
  rightFusedMatMul,
  rightMaxPoolGradient,
  // Slow.
  fastColumnSum,
  fastMatMul,
  fastSlice,
  fastTranspose,
  // Our own operations, where a loop beats the composite.
  attentionOfShortSequences,
  geluFromTable,
];

/** What stock tfjs-wasm lacks, gets wrong or does slowly. */
export function repairWasm(): void {
  for (const repair of repairs) repair("wasm");
}
