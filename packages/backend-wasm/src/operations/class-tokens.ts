import type { Segment } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../heap.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";
import { places } from "./segments.ts";

interface Attributes {
  readonly segments: readonly Segment[];
}

/** The first token of every sequence. */
export const classTokensKernels: readonly WasmKernel[] = [
  wasmKernel<{ readonly x: tf.TensorInfo }, Attributes>(
    "DinoClassTokens",
    ({ inputs: { x }, attributes: { segments }, heap }) => {
      const all = places(segments);
      const row = 4 * (x.shape[1] as number);
      const sequences = all.reduce((sum, place) => sum + place.sequences, 0);
      const y = heap.output([sequences, x.shape[1] as number]);
      for (const place of all) {
        const from = heap.at(x) + row * place.row;
        const to = heap.at(y) + row * place.sequence;
        heap.kernels.copyRuns(from, row * place.tokens, to, row, place.sequences, row);
      }
      return [y];
    },
  ),

  wasmKernel<{ readonly dy: tf.TensorInfo }, Attributes>(
    "DinoClassTokensBackward",
    ({ inputs: { dy }, attributes: { segments }, heap }) => {
      const all = places(segments);
      const row = 4 * (dy.shape[1] as number);
      const rows = all.reduce((sum, place) => sum + place.sequences * place.tokens, 0);
      const dx = heap.output([rows, dy.shape[1] as number]);
      heap.kernels.clear(heap.at(dx), 4 * sizeOf(dx));
      for (const place of all) {
        const from = heap.at(dy) + row * place.sequence;
        const to = heap.at(dx) + row * place.row;
        heap.kernels.copyRuns(from, row, to, row * place.tokens, place.sequences, row);
      }
      return [dx];
    },
  ),
];
