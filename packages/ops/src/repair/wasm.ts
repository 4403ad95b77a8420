import { attentionOfShortSequences } from "../wasm/attention.ts";
import { geluFromTable } from "../wasm/gelu.ts";
import { heapViews, type WasmHeap } from "../wasm/heap.ts";
import { convolutionGradients, type Memory } from "./convolution-gradients.ts";
import { cumsumFromTheEnd } from "./cumsum.ts";
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
  (backendName: string) => convolutionGradients(backendName, heapMemory),
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

function heapMemory(backend: unknown): Memory {
  const heap = backend as WasmHeap;
  return {
    makeOutput: (shape, dtype) => heap.makeOutput(shape, dtype),
    views: (tensors) => heapViews(heap, tensors),
  };
}

/** What stock tfjs-wasm lacks, gets wrong or does slowly. */
export function repairWasm(): void {
  for (const repair of repairs) repair("wasm");
}
