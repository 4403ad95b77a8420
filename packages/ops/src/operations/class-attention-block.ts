import * as tf from "@tensorflow/tfjs-core";
import { classAttentionBackward, classAttentionForward } from "../composite/class-attention.ts";
import { classSegments, scaleSequences } from "../composite/segments.ts";
import { differentiable } from "../operation.ts";
import type { Params } from "../params.ts";
import type { Segment } from "../segment.ts";
import {
  type AttentionBlockAttributes,
  type AttentionBlockInputs,
  type AttentionBlockOptions,
  type AttentionBlockWeights,
  attentionBlockVariables,
  type Statistics,
} from "./attention-block.ts";
import { layerNormAgain, layerNormKernels } from "./layer-norm.ts";
import { affineKernels } from "./linear.ts";
import { classTokensKernels } from "./tokens.ts";

/** What the backward kernel gets besides the output's gradient; the forward one gets `AttentionBlockInputs`. */
export type ClassAttentionBlockSaved = AttentionBlockWeights & {
  readonly x: tf.Tensor2D;
  readonly mean: tf.Tensor2D;
  readonly inverseStd: tf.Tensor2D;
  /** A backend may keep these as it likes: its own kernels alone read them. */
  readonly q: tf.Tensor2D;
  readonly kv: tf.Tensor2D;
  readonly mixed: tf.Tensor2D;
};

const operation = differentiable<
  AttentionBlockInputs,
  ClassAttentionBlockSaved,
  AttentionBlockAttributes
>({
  name: "ClassAttentionBlock",
  forward: (inputs, { heads, segments, epsilon, forGradient }) => {
    const { x, normWeight, normBias, qkvWeight, qkvBias, projWeight, projBias } = inputs;
    const [normed, mean, inverseStd] = layerNormKernels.forward(
      { x, weight: normWeight, bias: normBias },
      { epsilon, forGradient },
    ) as Statistics;
    const dim = x.shape[1];
    const q = affineKernels.forward(
      firstOfEach(normed, segments),
      tf.slice(qkvWeight, 0, dim),
      tf.slice(qkvBias, 0, dim),
    );
    const kv = affineKernels.forward(normed, tf.slice(qkvWeight, dim), tf.slice(qkvBias, dim));
    const mixed = classAttentionForward(q, kv, segments, heads);
    const branch = affineKernels.forward(mixed, projWeight, projBias);
    const scaled = scaleSequences(branch, classSegments(segments), inputs.pathScale);
    const y = tf.add(firstOfEach(x, segments), scaled);
    return forGradient ? [y, mean, inverseStd, q, kv, mixed] : [y];
  },
  saved: ({ x, normWeight, normBias, qkvWeight, projWeight, pathScale }, outputs) => {
    const [, mean, inverseStd, q, kv, mixed] = outputs as tf.Tensor2D[];
    const weights = { normWeight, normBias, qkvWeight, projWeight };
    const kept = { x, ...weights, mean, inverseStd, q, kv, mixed };
    return (pathScale ? { ...kept, pathScale } : kept) as ClassAttentionBlockSaved;
  },
  backward: ({ dy, ...saved }, { heads, segments, epsilon }) => {
    const { x, normWeight: weight, normBias: bias, mean, inverseStd, qkvWeight } = saved;
    const dim = x.shape[1];
    const dRows = dy as tf.Tensor2D;
    const dBranch = scaleSequences(dRows, classSegments(segments), saved.pathScale);
    const [dMixed, ...dProj] = affineKernels.backward(dBranch, saved.mixed, saved.projWeight);
    const [dQ, dKv] = classAttentionBackward(dMixed, saved.q, saved.kv, segments, heads);
    const normed = layerNormAgain({ x, weight, bias, mean, inverseStd });
    const [dFirst, dQWeight, dQBias] = affineKernels.backward(
      dQ,
      firstOfEach(normed, segments),
      tf.slice(qkvWeight, 0, dim),
    );
    const [dAll, dKvWeight, dKvBias] = affineKernels.backward(
      dKv,
      normed,
      tf.slice(qkvWeight, dim),
    );
    const [dNormed, ...dNorm] = layerNormKernels.backward(
      { dy: tf.add(dAll, atFirstOfEach(dFirst, segments)), x, weight, mean, inverseStd },
      { epsilon },
    );
    const dx = tf.add(dNormed as tf.Tensor2D, atFirstOfEach(dRows, segments));
    const dLinear = [tf.concat([dQWeight, dKvWeight]), tf.concat([dQBias, dKvBias])];
    return [dx, ...dNorm, ...dLinear, ...dProj];
  },
});

function firstOfEach(x: tf.Tensor2D, segments: readonly Segment[]): tf.Tensor2D {
  return classTokensKernels.forward({ x }, { segments, forGradient: false })[0] as tf.Tensor2D;
}

/** Each row as the first token of a sequence that is zero otherwise. */
function atFirstOfEach(dy: tf.Tensor2D, segments: readonly Segment[]): tf.Tensor2D {
  return classTokensKernels.backward({ dy }, { segments })[0] as tf.Tensor2D;
}

/**
 * `attentionBlock` followed by `classTokens`, for less: rows `[rows, dim]` to `[sequences, dim]`.
 * What the first token of a sequence attends to needs the keys and values of all tokens, while
 * queries, attention, projection and residual are its own alone. Enough for a last block of which
 * the class token alone is used.
 */
export function classAttentionBlock(
  params: Params,
  x: tf.Tensor2D,
  { heads, segments, epsilon = 1e-6, pathScale }: AttentionBlockOptions,
): tf.Tensor2D {
  const variables = attentionBlockVariables(params, x, { heads, segments, pathScale });
  const constants = pathScale ? { pathScale } : {};
  return operation(variables, { heads, segments, epsilon }, constants) as tf.Tensor2D;
}
