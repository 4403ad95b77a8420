import { assertShape } from "@dino/ops";
import type * as tf from "@tensorflow/tfjs-core";
import type { PatchGrid } from "./attention.ts";
import { pictureGrid } from "./picture-grid.ts";

/** What a Vision Transformer makes of each patch of a picture: plain numbers that outlive any backend. */
export interface PatchTokens extends PatchGrid {
  /** Values of a token. */
  readonly dim: number;
  /** Token after token, row by row: `rows * columns * dim` values. */
  readonly values: Float32Array;
}

/**
 * The patches' tokens of one picture, from all its tokens `[1, 1 + patches, dim]` whose token 0 is
 * the class token: what `intermediateTokens` of a backbone returns. The tensor stays the caller's.
 */
export async function patchTokens(
  tokens: tf.Tensor3D,
  picture: { readonly width: number; readonly height: number },
  { patchSize }: { readonly patchSize: number },
): Promise<PatchTokens> {
  const grid = pictureGrid(picture, patchSize);
  assertShape("tokens", tokens, [1, 1 + grid.rows * grid.columns, null]);
  const dim = tokens.shape[2];
  const values = Float32Array.from((await tokens.data()).subarray(dim));
  return { ...grid, dim, values };
}

/** Throws a `RangeError` that names the tokens unless there are as many as their grid asks for. */
export function assertTokens(
  name: string,
  { rows, columns, dim, values }: PatchTokens,
  expectedDim: number = dim,
): void {
  if (values.length !== rows * columns * dim) {
    throw new RangeError(
      `${name}: expected ${rows} x ${columns} tokens of ${dim} values, got ${values.length} values`,
    );
  }
  if (dim !== expectedDim) {
    throw new RangeError(`${name}: expected tokens of ${expectedDim} values, got ${dim}`);
  }
}
