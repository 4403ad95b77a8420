import type { Segment } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import type { Address } from "../kernels.ts";
import { type WasmKernel, wasmKernel } from "../wasm-kernel.ts";
import { places } from "./segments.ts";

interface Attributes {
  readonly heads: number;
  readonly segments: readonly Segment[];
}

/** Attention within sequences of packed queries, keys and values `[rows, 3 * dim]` to `[rows, dim]`. */
export function attend(
  heap: Heap,
  qkv: Address,
  mixed: Address,
  dim: number,
  { heads, segments }: Attributes,
): void {
  for (const { row, sequences, tokens } of places(segments)) {
    const scratch = heap.scratch(heap.kernels.attentionScratch(tokens));
    const q = qkv + 12 * dim * row;
    heap.kernels.attend(
      ...[q, 12 * dim, q + 4 * dim, q + 8 * dim, 12 * dim, mixed + 4 * dim * row, 4 * dim],
      ...([sequences, tokens, tokens, heads, dim / heads, scratch] as const),
    );
  }
}

/** The gradient of `attend`. */
export function attendBack(
  heap: Heap,
  qkv: Address,
  dMixed: Address,
  dQkv: Address,
  dim: number,
  { heads, segments }: Attributes,
): void {
  for (const { row, sequences, tokens } of places(segments)) {
    const scratch = heap.scratch(heap.kernels.attentionScratch(tokens));
    const skip = 12 * dim * row;
    const [q, dq] = [qkv + skip, dQkv + skip];
    heap.kernels.attendBack(
      ...[q, 12 * dim, q + 4 * dim, q + 8 * dim, 12 * dim, dMixed + 4 * dim * row, 4 * dim],
      ...[dq, dq + 4 * dim, dq + 8 * dim],
      ...([sequences, tokens, tokens, heads, dim / heads, scratch] as const),
    );
  }
}

export const attentionKernels: readonly WasmKernel[] = [
  wasmKernel<{ readonly qkv: tf.TensorInfo }, Attributes>(
    "DinoAttention",
    ({ inputs: { qkv }, attributes, heap }) => {
      const [rows, packed] = qkv.shape as [number, number];
      const mixed = heap.output([rows, packed / 3]);
      attend(heap, heap.at(qkv), heap.at(mixed), packed / 3, attributes);
      return [mixed];
    },
  ),

  wasmKernel<{ readonly dy: tf.TensorInfo; readonly qkv: tf.TensorInfo }, Attributes>(
    "DinoAttentionBackward",
    ({ inputs: { dy, qkv }, attributes, heap }) => {
      const dQkv = heap.output(qkv.shape);
      const dim = dy.shape[1] as number;
      attendBack(heap, heap.at(qkv), heap.at(dy), heap.at(dQkv), dim, attributes);
      return [dQkv];
    },
  ),

  wasmKernel<
    { readonly qkv: tf.TensorInfo },
    { readonly heads: number; readonly segment: Segment }
  >("DinoAttentionWeights", ({ inputs: { qkv }, attributes: { heads, segment }, heap }) => {
    const { sequences, tokens } = segment;
    const dim = (qkv.shape[1] as number) / 3;
    const weights = heap.output([sequences, heads, tokens, tokens]);
    const scratch = heap.scratch(heap.kernels.attentionScratch(tokens));
    const q = heap.at(qkv);
    heap.kernels.attentionWeights(
      ...[q, q + 4 * dim, 12 * dim, heap.at(weights)],
      ...([sequences, tokens, heads, dim / heads, scratch] as const),
    );
    return [weights];
  }),
];
