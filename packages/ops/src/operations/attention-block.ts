import * as tf from "@tensorflow/tfjs-core";
import { scaleSequences } from "../composite/segments.ts";
import { differentiable } from "../operation.ts";
import { type Params, parameter } from "../params.ts";
import { rowsOf, type Segment, sequencesOf } from "../segment.ts";
import { assertShape, ShapeError } from "../shape.ts";
import { attentionKernels } from "./attention.ts";
import { layerNormAgain, layerNormKernels } from "./layer-norm.ts";
import { affineKernels } from "./linear.ts";

export interface BlockOptions {
  readonly segments: readonly Segment[];
  readonly epsilon?: number;
  /**
   * What each sequence's branch is multiplied by, `[sequences of all segments]`: 0 drops it,
   * stochastic depth keeps others at 1 / (1 - rate). Has no gradient.
   */
  readonly pathScale?: tf.Tensor1D | undefined;
}

export interface AttentionBlockOptions extends BlockOptions {
  readonly heads: number;
}

/** What both kernels are told. */
export type AttentionBlockAttributes = {
  readonly heads: number;
  readonly segments: readonly Segment[];
  readonly epsilon: number;
};

/** What the backward kernel needs of the inputs besides the rows. `pathScale` as in `BlockOptions`. */
export type AttentionBlockWeights = {
  readonly normWeight: tf.Tensor1D;
  readonly normBias: tf.Tensor1D;
  readonly qkvWeight: tf.Tensor2D;
  readonly projWeight: tf.Tensor2D;
  readonly pathScale?: tf.Tensor1D;
};

/** What the forward kernel gets. */
export type AttentionBlockInputs = AttentionBlockWeights & {
  readonly x: tf.Tensor2D;
  readonly qkvBias: tf.Tensor1D;
  readonly projBias: tf.Tensor1D;
};

/** What the backward kernel gets besides the output's gradient. */
export type AttentionBlockSaved = AttentionBlockWeights & {
  readonly x: tf.Tensor2D;
  readonly mean: tf.Tensor2D;
  readonly inverseStd: tf.Tensor2D;
  /** A backend may keep these as it likes: its own kernels alone read them. */
  readonly qkv: tf.Tensor2D;
  readonly mixed: tf.Tensor2D;
};

const operation = differentiable<
  AttentionBlockInputs,
  AttentionBlockSaved,
  AttentionBlockAttributes
>({
  name: "AttentionBlock",
  forward: (inputs, { heads, segments, epsilon, forGradient }) => {
    const { x, normWeight, normBias, qkvWeight, qkvBias, projWeight, projBias } = inputs;
    const [normed, mean, inverseStd] = layerNormKernels.forward(
      { x, weight: normWeight, bias: normBias },
      { epsilon, forGradient },
    ) as Statistics;
    const qkv = affineKernels.forward(normed, qkvWeight, qkvBias);
    const [mixed] = attentionKernels.forward({ qkv }, { heads, segments, forGradient }) as [
      tf.Tensor2D,
    ];
    const branch = affineKernels.forward(mixed, projWeight, projBias);
    const y = tf.add(x, scaleSequences(branch, segments, inputs.pathScale));
    return forGradient ? [y, mean, inverseStd, qkv, mixed] : [y];
  },
  saved: ({ x, normWeight, normBias, qkvWeight, projWeight, pathScale }, outputs) => {
    const [, mean, inverseStd, qkv, mixed] = outputs as tf.Tensor2D[];
    const kept = { x, normWeight, normBias, qkvWeight, projWeight, mean, inverseStd, qkv, mixed };
    return (pathScale ? { ...kept, pathScale } : kept) as AttentionBlockSaved;
  },
  backward: ({ dy, ...saved }, { heads, segments, epsilon }) => {
    const { x, normWeight: weight, normBias: bias, mean, inverseStd, qkvWeight, qkv } = saved;
    const dBranch = scaleSequences(dy as tf.Tensor2D, segments, saved.pathScale);
    const [dMixed, ...dProj] = affineKernels.backward(dBranch, saved.mixed, saved.projWeight);
    const [dQkv] = attentionKernels.backward({ dy: dMixed, qkv }, { heads, segments }) as [
      tf.Tensor2D,
    ];
    const normed = layerNormAgain({ x, weight, bias, mean, inverseStd });
    const [dNormed, ...dLinear] = affineKernels.backward(dQkv, normed, qkvWeight);
    const [dx, ...dNorm] = layerNormKernels.backward(
      { dy: dNormed, x, weight, mean, inverseStd },
      { epsilon },
    );
    return [tf.add(dy, dx as tf.Tensor), ...dNorm, ...dLinear, ...dProj];
  },
});

/** What the forward kernel of a layer norm gives. */
export type Statistics = [normed: tf.Tensor2D, mean: tf.Tensor2D, inverseStd: tf.Tensor2D];

/**
 * The first half of a pre-norm transformer block (Dosovitskiy et al. 2020):
 * `x + projection(attention(norm(x)))`, rows `[rows, dim]` to the same shape. Takes the
 * parameters `norm1.*`, `attn.qkv.*` and `attn.proj.*` of the published names.
 */
export function attentionBlock(
  params: Params,
  x: tf.Tensor2D,
  { heads, segments, epsilon = 1e-6, pathScale }: AttentionBlockOptions,
): tf.Tensor2D {
  const variables = attentionBlockVariables(params, x, { heads, segments, pathScale });
  const constants = pathScale ? { pathScale } : {};
  return operation(variables, { heads, segments, epsilon }, constants) as tf.Tensor2D;
}

/** The rows and the parameters by the kernels' names for them, if they fit together. */
export function attentionBlockVariables(
  params: Params,
  x: tf.Tensor2D,
  { heads, segments, pathScale }: AttentionBlockOptions,
): Omit<AttentionBlockInputs, "pathScale"> {
  const dim = x.shape[1];
  assertBlock(x, segments, pathScale);
  if (dim % heads !== 0) {
    throw new ShapeError(`x: expected a width divisible by ${heads} heads, got ${dim}`);
  }
  const variables: Omit<AttentionBlockInputs, "pathScale"> = {
    x,
    normWeight: parameter(params, "norm1.weight"),
    normBias: parameter(params, "norm1.bias"),
    qkvWeight: parameter(params, "attn.qkv.weight"),
    qkvBias: parameter(params, "attn.qkv.bias"),
    projWeight: parameter(params, "attn.proj.weight"),
    projBias: parameter(params, "attn.proj.bias"),
  };
  assertShape("attn.qkv.weight", variables.qkvWeight, [3 * dim, dim]);
  assertShape("attn.proj.weight", variables.projWeight, [dim, dim]);
  return variables;
}

/** What both halves of a block ask of their rows. */
export function assertBlock(
  x: tf.Tensor2D,
  segments: readonly Segment[],
  pathScale: tf.Tensor1D | undefined,
): void {
  assertShape("x", x, [rowsOf(segments), null]);
  if (pathScale) assertShape("pathScale", pathScale, [sequencesOf(segments)]);
}
