import type * as tf from "@tensorflow/tfjs-core";
import {
  attentionBackward,
  attentionForward,
  attentionProbabilities,
} from "../composite/attention.ts";
import { differentiable, type Kernels, kernel, kernelsOf, type Operation } from "../operation.ts";
import { rowsOf, type Segment } from "../segment.ts";
import { assertShape, ShapeError } from "../shape.ts";

interface Attributes {
  readonly heads: number;
  readonly segments: readonly Segment[];
}
type Packed = { readonly qkv: tf.Tensor2D };

const operation: Operation<Packed, Packed, Attributes> = {
  name: "Attention",
  forward: ({ qkv }, { heads, segments }) => [attentionForward(qkv, segments, heads)],
  saved: ({ qkv }) => ({ qkv }),
  backward: ({ dy, qkv }, { heads, segments }) => [
    attentionBackward(dy as tf.Tensor2D, qkv, segments, heads),
  ],
};

const differentiableAttention = differentiable(operation);

/** The kernels, for larger operations. */
export const attentionKernels: Kernels<Packed, Packed, Attributes> = kernelsOf(operation);

const weights = kernel<Packed, { readonly heads: number; readonly segment: Segment }>(
  "AttentionWeights",
  ({ qkv }, { heads, segment }) => [attentionProbabilities(qkv, segment, heads)],
);

/**
 * Multi-head self-attention within each sequence. `qkv` holds all queries, then all keys, then
 * all values of a token in one row, each of them head after head: `[rows, 3 * dim]` to `[rows, dim]`.
 */
export function attention(qkv: tf.Tensor2D, { heads, segments }: Attributes): tf.Tensor2D {
  assertHeads(qkv, heads);
  assertShape("qkv", qkv, [rowsOf(segments), null]);
  return differentiableAttention({ qkv }, { heads, segments }) as tf.Tensor2D;
}

export interface AttentionWeightsOptions extends Segment {
  readonly heads: number;
}

/**
 * What each token attends to, after the softmax: rows of packed queries, keys and values
 * `[sequences * tokens, 3 * dim]` to `[sequences, heads, tokens, tokens]`. Has no gradient.
 */
export function attentionWeights(
  qkv: tf.Tensor2D,
  { heads, sequences, tokens }: AttentionWeightsOptions,
): tf.Tensor4D {
  assertHeads(qkv, heads);
  assertShape("qkv", qkv, [sequences * tokens, null]);
  return weights({ qkv }, { heads, segment: { sequences, tokens } })[0] as tf.Tensor4D;
}

function assertHeads(qkv: tf.Tensor2D, heads: number): void {
  const width = qkv.shape[1] as number;
  if (width % (3 * heads) !== 0) {
    throw new ShapeError(`qkv: expected a width divisible by 3 * ${heads} heads, got ${width}`);
  }
}
