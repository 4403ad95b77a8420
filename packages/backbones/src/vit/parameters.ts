import { truncatedNormal, uniform } from "@dino/ops";
import type { Random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";

export interface VitDimensions {
  readonly embedDim: number;
  readonly depth: number;
  /** Width of the hidden layer of a block's perceptron. */
  readonly hidden: number;
  readonly patchSize: number;
  /** Patches of a picture of the size that the positions are made for. */
  readonly patches: number;
}

/** Names and shapes of the published checkpoints, in their order. */
export function vitShapes(dimensions: VitDimensions): Record<string, readonly number[]> {
  const { embedDim, depth, patchSize, patches } = dimensions;
  const shapes: Record<string, readonly number[]> = {
    cls_token: [1, 1, embedDim],
    pos_embed: [1, 1 + patches, embedDim],
    "patch_embed.proj.weight": [embedDim, 3, patchSize, patchSize],
    "patch_embed.proj.bias": [embedDim],
  };
  for (let i = 0; i < depth; i++) {
    for (const [name, shape] of Object.entries(blockShapes(dimensions))) {
      shapes[`blocks.${i}.${name}`] = shape;
    }
  }
  return { ...shapes, "norm.weight": [embedDim], "norm.bias": [embedDim] };
}

function blockShapes({ embedDim, hidden }: VitDimensions): Record<string, readonly number[]> {
  return {
    "norm1.weight": [embedDim],
    "norm1.bias": [embedDim],
    "attn.qkv.weight": [3 * embedDim, embedDim],
    "attn.qkv.bias": [3 * embedDim],
    "attn.proj.weight": [embedDim, embedDim],
    "attn.proj.bias": [embedDim],
    "norm2.weight": [embedDim],
    "norm2.bias": [embedDim],
    "mlp.fc1.weight": [hidden, embedDim],
    "mlp.fc1.bias": [hidden],
    "mlp.fc2.weight": [embedDim, hidden],
    "mlp.fc2.bias": [embedDim],
  };
}

/**
 * A parameter as the reference begins with it: tokens, positions and linear weights normal with
 * standard deviation 0.02, norms at 1 and 0, other biases 0. The patch embedding is a convolution
 * and keeps PyTorch's uniform default.
 */
export function vitInit(
  random: Random,
  name: string,
  shape: readonly number[],
  patchSize: number,
): tf.Tensor {
  if (name.startsWith("patch_embed.")) return uniform(random, shape, (3 * patchSize ** 2) ** -0.5);
  if (shape.length > 1) return truncatedNormal(random, shape);
  return name.endsWith("weight") ? tf.ones([...shape]) : tf.zeros([...shape]);
}
