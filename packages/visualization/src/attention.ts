import { assertShape } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { pictureGrid } from "./picture-grid.ts";

/** Numbers in patches: `rows` by `columns` of them, each for `patchSize` by `patchSize` pixels. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
  readonly patchSize: number;
}

/** How much the class token attends to each patch of a picture. */
export interface AttentionMaps extends PatchGrid {
  readonly heads: number;
  /**
   * One map a head, row by row, `rows * columns` weights in [0, 1]. They sum to less than 1: what
   * the class token gives to itself is not among them.
   */
  readonly maps: readonly Float32Array[];
  /** The mean over the heads. */
  readonly mean: Float32Array;
}

/**
 * The class token's attention to the patches of one picture, from a self-attention
 * `[1, heads, tokens, tokens]` whose token 0 is the class token, or that token's row of it alone,
 * `[1, heads, 1, tokens]`. A picture whose sides are no
 * multiples of the patch has a rest at the right and bottom that no patch covers. The tensor stays
 * the caller's.
 */
export async function classAttention(
  selfAttention: tf.Tensor4D,
  picture: { readonly width: number; readonly height: number },
  { patchSize }: { readonly patchSize: number },
): Promise<AttentionMaps> {
  const { rows, columns } = pictureGrid(picture, patchSize);
  const patches = rows * columns;
  const rowsGiven = selfAttention.shape[2] === 1 ? 1 : 1 + patches;
  assertShape("selfAttention", selfAttention, [1, null, rowsGiven, 1 + patches]);
  const heads = selfAttention.shape[1];

  const row = tf.slice(selfAttention, [0, 0, 0, 1], [1, heads, 1, patches]);
  const weights = Float32Array.from(await row.data().finally(() => row.dispose()));
  const maps = Array.from({ length: heads }, (_, head) =>
    weights.slice(head * patches, (head + 1) * patches),
  );
  const mean = Float32Array.from({ length: patches }, (_, patch) => {
    return maps.reduce((sum, map) => sum + (map[patch] as number), 0) / heads;
  });
  return { heads, rows, columns, patchSize, maps, mean };
}
