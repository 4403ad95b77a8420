import * as tf from "@tensorflow/tfjs-core";
import { scaleSequences } from "../composite/segments.ts";
import { differentiable } from "../operation.ts";
import { type Params, parameter } from "../params.ts";
import type { Segment } from "../segment.ts";
import { assertShape } from "../shape.ts";
import { geluParts } from "./activations.ts";
import { assertBlock, type BlockOptions, type Statistics } from "./attention-block.ts";
import { layerNormAgain, layerNormKernels } from "./layer-norm.ts";
import { affineKernels, linearKernels } from "./linear.ts";

/** What both kernels are told. */
export type MlpBlockAttributes = {
  readonly segments: readonly Segment[];
  readonly epsilon: number;
};

type Weights = {
  readonly normWeight: tf.Tensor1D;
  readonly normBias: tf.Tensor1D;
  readonly fc1Weight: tf.Tensor2D;
  readonly fc2Weight: tf.Tensor2D;
  readonly pathScale?: tf.Tensor1D;
};

/** What the forward kernel gets. `pathScale` as in `BlockOptions`. */
export type MlpBlockInputs = Weights & {
  readonly x: tf.Tensor2D;
  readonly fc1Bias: tf.Tensor1D;
  readonly fc2Bias: tf.Tensor1D;
};

/** What the backward kernel gets besides the output's gradient. */
export type MlpBlockSaved = Weights & {
  readonly x: tf.Tensor2D;
  readonly mean: tf.Tensor2D;
  readonly inverseStd: tf.Tensor2D;
  /** Before the GELU; a backend may keep it as it likes: its own kernels alone read it. */
  readonly hidden: tf.Tensor2D;
};

const operation = differentiable<MlpBlockInputs, MlpBlockSaved, MlpBlockAttributes>({
  name: "MlpBlock",
  forward: (inputs, { segments, epsilon, forGradient }) => {
    const { x, normWeight, normBias, fc1Weight, fc1Bias, fc2Weight, fc2Bias } = inputs;
    const [normed, mean, inverseStd] = layerNormKernels.forward(
      { x, weight: normWeight, bias: normBias },
      { epsilon, forGradient },
    ) as Statistics;
    const [active, hidden] = linearKernels.forward(
      { x: normed, weight: fc1Weight, bias: fc1Bias },
      { activation: "gelu", forGradient },
    ) as [active: tf.Tensor2D, hidden?: tf.Tensor2D];
    const branch = affineKernels.forward(active, fc2Weight, fc2Bias);
    const y = tf.add(x, scaleSequences(branch, segments, inputs.pathScale));
    return hidden ? [y, mean, inverseStd, hidden] : [y];
  },
  saved: ({ x, normWeight, normBias, fc1Weight, fc2Weight, pathScale }, outputs) => {
    const [, mean, inverseStd, hidden] = outputs as tf.Tensor2D[];
    const kept = { x, normWeight, normBias, fc1Weight, fc2Weight, mean, inverseStd, hidden };
    return (pathScale ? { ...kept, pathScale } : kept) as MlpBlockSaved;
  },
  backward: ({ dy, ...saved }, { segments, epsilon }) => {
    const { x, normWeight: weight, normBias: bias, mean, inverseStd, fc1Weight } = saved;
    const dBranch = scaleSequences(dy as tf.Tensor2D, segments, saved.pathScale);
    const [active, slope] = geluParts(saved.hidden);
    const [dActive, ...dFc2] = affineKernels.backward(dBranch, active, saved.fc2Weight);
    const dHidden = tf.mul<tf.Tensor2D>(dActive, slope);
    const normed = layerNormAgain({ x, weight, bias, mean, inverseStd });
    const [dNormed, ...dFc1] = affineKernels.backward(dHidden, normed, fc1Weight);
    const [dx, ...dNorm] = layerNormKernels.backward(
      { dy: dNormed, x, weight, mean, inverseStd },
      { epsilon },
    );
    return [tf.add(dy, dx as tf.Tensor), ...dNorm, ...dFc1, ...dFc2];
  },
});

/**
 * The second half of a pre-norm transformer block: `x + fc2(gelu(fc1(norm(x))))`, rows
 * `[rows, dim]` to the same shape. Takes the parameters `norm2.*`, `mlp.fc1.*` and `mlp.fc2.*`.
 */
export function mlpBlock(
  params: Params,
  x: tf.Tensor2D,
  { segments, epsilon = 1e-6, pathScale }: BlockOptions,
): tf.Tensor2D {
  const dim = x.shape[1];
  assertBlock(x, segments, pathScale);
  const variables = {
    x,
    normWeight: parameter(params, "norm2.weight"),
    normBias: parameter(params, "norm2.bias"),
    fc1Weight: parameter<tf.Tensor2D>(params, "mlp.fc1.weight"),
    fc1Bias: parameter(params, "mlp.fc1.bias"),
    fc2Weight: parameter(params, "mlp.fc2.weight"),
    fc2Bias: parameter(params, "mlp.fc2.bias"),
  };
  assertShape("mlp.fc1.weight", variables.fc1Weight, [null, dim]);
  assertShape("mlp.fc2.weight", variables.fc2Weight, [dim, variables.fc1Weight.shape[0]]);
  const constants = pathScale ? { pathScale } : {};
  return operation(variables, { segments, epsilon }, constants) as tf.Tensor2D;
}
