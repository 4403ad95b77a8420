import {
  assertShape,
  attentionBlock,
  attentionWeights,
  classAttentionBlock,
  layerNorm,
  linear,
  mlpBlock,
  type Params,
  parameter,
  patchEmbed,
  type Segment,
  ShapeError,
  within,
} from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import type { Backbone, Crops, Training } from "../backbone.ts";
import { classAttentionWeights } from "./class-attention-weights.ts";
import { dropRates, pathScale } from "./drop-path.ts";
import { assertCount, assertOptions, type VitOptions } from "./options.ts";
import { vitInit, vitShapes } from "./parameters.ts";
import { patchGrid, positionsFor } from "./positions.ts";
import { type VitName, type VitSizes, vitSize, vitSizes } from "./sizes.ts";

export interface SelfAttentionOptions {
  /** Counted from 0; the last one unless given. */
  readonly block?: number;
  /** The class token's row alone, `[batch, heads, 1, 1 + patches]`: of large pictures all are too many. */
  readonly classOnly?: boolean;
}

export interface VisionTransformer extends Backbone {
  readonly patchSize: number;
  readonly imageSize: number;
  readonly depth: number;
  readonly heads: number;
  /** Crops of several sizes packed into one pass, to features in the order of the crops. */
  forwardCrops(params: Params, crops: Crops, mode?: Training): tf.Tensor2D;
  trainingFloats(rows: number, columns: number): number;
  /** The normalised tokens after each of the last `blocks` blocks, oldest first: `[batch, 1 + patches, embedDim]`. */
  intermediateTokens(
    params: Params,
    images: tf.Tensor4D,
    options: { readonly blocks: number },
  ): tf.Tensor3D[];
  /**
   * What each token attends to in a block: `[batch, heads, 1 + patches, 1 + patches]`, a row's
   * weights sum to 1. Row 0 is the class token's, patches follow row by row.
   */
  selfAttention(params: Params, images: tf.Tensor4D, options?: SelfAttentionOptions): tf.Tensor4D;
}

/** A Vision Transformer of a published size: `vit("small", { patchSize: 16 })`. */
export function vit(name: VitName, options?: VitOptions): VisionTransformer;
/** A Vision Transformer of any size. */
export function vit(options: VitSizes & VitOptions): VisionTransformer;
export function vit(
  nameOrOptions: VitName | (VitSizes & VitOptions),
  options: VitOptions = {},
): VisionTransformer {
  if (typeof nameOrOptions !== "string") return visionTransformer("vit", nameOrOptions);
  const size = vitSize(nameOrOptions);
  return visionTransformer(`vit_${size}`, { ...options, ...vitSizes[size] });
}

/**
 * The Vision Transformer of DINO (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929): the
 * class token after the last norm is the feature.
 */
function visionTransformer(
  name: string,
  {
    embedDim,
    depth,
    heads,
    patchSize = 16,
    imageSize = 224,
    mlpRatio = 4,
    dropPath = 0,
    pixelGradients = false,
  }: VitSizes & VitOptions,
): VisionTransformer {
  assertOptions({ embedDim, depth, heads, patchSize, imageSize }, { mlpRatio, dropPath });
  const parameterShapes = vitShapes({
    embedDim,
    depth,
    hidden: Math.floor(embedDim * mlpRatio),
    patchSize,
    patches: Math.floor(imageSize / patchSize) ** 2,
  });
  const rates = dropRates(dropPath, depth);

  /** Pictures of one size to rows, sequence after sequence. */
  const embed = (params: Params, images: tf.Tensor4D): tf.Tensor2D => {
    const [, rows, columns] = images.shape;
    const positions = parameter<tf.Tensor3D>(params, "pos_embed");
    assertShape("pos_embed", positions, [1, null, embedDim]);
    return patchEmbed(
      images,
      {
        weight: parameter(params, "patch_embed.proj.weight"),
        bias: parameter(params, "patch_embed.proj.bias"),
        classToken: parameter(params, "cls_token"),
        positions: positionsFor(positions, { rows, columns }, patchSize),
      },
      { pixelGradients },
    );
  };

  /** What every sequence's branches in a block are multiplied by. */
  const scales = (i: number, segments: readonly Segment[], mode: Training | undefined) => {
    const branch = { block: i, rate: rates[i] as number };
    return {
      attention: pathScale({ ...branch, half: "attention" }, segments, mode),
      mlp: pathScale({ ...branch, half: "mlp" }, segments, mode),
    };
  };

  const block = (
    params: Params,
    i: number,
    x: tf.Tensor2D,
    segments: readonly Segment[],
    mode?: Training,
  ) => {
    const own = within(params, `blocks.${i}.`);
    const scale = scales(i, segments, mode);
    const y = attentionBlock(own, x, { heads, segments, pathScale: scale.attention });
    return mlpBlock(own, y, { segments, pathScale: scale.mlp });
  };

  /** The last block of the class tokens alone: rows `[rows, embedDim]` to `[sequences, embedDim]`. */
  const lastBlock = (
    params: Params,
    x: tf.Tensor2D,
    segments: readonly Segment[],
    mode: Training | undefined,
  ) => {
    const own = within(params, `blocks.${depth - 1}.`);
    const scale = scales(depth - 1, segments, mode);
    const y = classAttentionBlock(own, x, { heads, segments, pathScale: scale.attention });
    const alone = segments.map(({ sequences }) => ({ sequences, tokens: 1 }));
    return mlpBlock(own, y, { segments: alone, pathScale: scale.mlp });
  };

  const norm = (params: Params, x: tf.Tensor2D): tf.Tensor2D =>
    layerNorm(x, parameter(params, "norm.weight"), parameter(params, "norm.bias"));

  const segmentOf = (images: tf.Tensor4D): Segment => {
    const [sequences, rows, columns] = images.shape;
    assertShape("images", images, [null, null, null, 3]);
    if (rows < patchSize || columns < patchSize) {
      const least = `${patchSize} x ${patchSize} pixels, one patch`;
      throw new ShapeError(`images: expected at least ${least}, got ${rows} x ${columns}`);
    }
    const grid = patchGrid({ rows, columns }, patchSize);
    return { sequences, tokens: 1 + grid.rows * grid.columns };
  };

  const forwardCrops: VisionTransformer["forwardCrops"] = (params, crops, mode) =>
    tf.tidy(() => {
      const segments = crops.map(segmentOf);
      const embedded = crops.map((images) => embed(params, images));
      let x = embedded.length === 1 ? (embedded[0] as tf.Tensor2D) : tf.concat(embedded);
      for (let i = 0; i < depth - 1; i++) x = block(params, i, x, segments, mode);
      return norm(params, lastBlock(params, x, segments, mode));
    });

  return {
    name,
    embedDim,
    depth,
    heads,
    patchSize,
    imageSize,
    parameterShapes,
    forwardCrops,

    init: (random) =>
      Object.fromEntries(
        Object.entries(parameterShapes).map(([name, shape]) => [
          name,
          vitInit(random, name, shape, patchSize),
        ]),
      ),

    forward: (params, images, mode) => forwardCrops(params, [images], mode),

    trainingFloats: (rows, columns) => {
      const grid = patchGrid({ rows, columns }, patchSize);
      const tokens = 1 + grid.rows * grid.columns;
      // What a block's halves save, with the gradients of their inputs; of the last one, the input,
      // keys, values and a gradient, since all else is the class token's. Then one block's temporaries.
      const kept = ((depth - 1) * (8 + mlpRatio) + 4) * tokens * embedDim;
      return kept + (8 + 3 * mlpRatio) * tokens * embedDim + 4 * heads * tokens ** 2;
    },

    intermediateTokens: (params, images, { blocks }) =>
      tf.tidy(() => {
        assertCount("blocks", blocks, 1, depth);
        const segment = segmentOf(images);
        let x = embed(params, images);
        const outputs: tf.Tensor3D[] = [];
        for (let i = 0; i < depth; i++) {
          x = block(params, i, x, [segment]);
          if (i < depth - blocks) continue;
          outputs.push(tf.reshape(norm(params, x), [segment.sequences, segment.tokens, embedDim]));
        }
        return outputs;
      }),

    selfAttention: (params, images, { block: at = depth - 1, classOnly = false } = {}) =>
      tf.tidy(() => {
        assertCount("block", at, 0, depth - 1);
        const segment = segmentOf(images);
        let x = embed(params, images);
        for (let i = 0; i < at; i++) x = block(params, i, x, [segment]);
        const own = within(params, `blocks.${at}.`);
        const normed = layerNorm(x, parameter(own, "norm1.weight"), parameter(own, "norm1.bias"));
        if (classOnly) return classAttentionWeights(own, normed, { heads, ...segment });
        const qkv = linear(
          normed,
          parameter(own, "attn.qkv.weight"),
          parameter(own, "attn.qkv.bias"),
        );
        return attentionWeights(qkv, { heads, ...segment });
      }),
  };
}
