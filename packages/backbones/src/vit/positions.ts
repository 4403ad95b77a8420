import { resample, ShapeError } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";

/** Of pictures or patches. */
export interface Extent {
  readonly rows: number;
  readonly columns: number;
}

/** The whole patches in a picture; what does not fill one is left out. */
export function patchGrid({ rows, columns }: Extent, patchSize: number): Extent {
  return { rows: Math.floor(rows / patchSize), columns: Math.floor(columns / patchSize) };
}

/**
 * The learned positions `[1, 1 + side * side, dim]` for pictures of any size: `[1 + patches, dim]`.
 * The class token's stays, the others are resampled from their square grid, unless the pictures
 * are as those the grid was made for.
 */
export function positionsFor(
  positions: tf.Tensor3D,
  pixels: Extent,
  patchSize: number,
): tf.Tensor2D {
  const [, count, dim] = positions.shape;
  const side = Math.sqrt(count - 1);
  if (!Number.isInteger(side) || side < 1) {
    throw new ShapeError(`pos_embed: expected a square grid of positions, got ${count - 1}`);
  }
  const { rows, columns } = patchGrid(pixels, patchSize);
  const all = tf.reshape(positions, [count, dim]) as tf.Tensor2D;
  if (rows * columns === side * side && pixels.rows === pixels.columns) return all;

  const grid = tf.reshape(tf.slice(all, 1), [side, side * dim]) as tf.Tensor2D;
  const down = resample(grid, cubicMatrix(rows, side)); // [rows, side * dim]
  const turned = tf.transpose(tf.reshape(down, [rows, side, dim]), [1, 0, 2]);
  const lines = tf.reshape(turned, [side, rows * dim]) as tf.Tensor2D;
  const across = resample(lines, cubicMatrix(columns, side)); // [columns, rows * dim]
  const back = tf.transpose(tf.reshape(across, [columns, rows, dim]), [1, 0, 2]);
  return tf.concat([tf.slice(all, 0, 1), tf.reshape(back, [rows * columns, dim]) as tf.Tensor2D]);
}

/**
 * Positions `[1, 1 + side * side, dim]` for square pictures of another size, in pixels: those that
 * the forward pass makes of them for such pictures, so that features there stay the same.
 */
export function resizePositions(
  positions: tf.Tensor3D,
  { imageSize, patchSize }: { readonly imageSize: number; readonly patchSize: number },
): tf.Tensor3D {
  return tf.tidy(() => {
    const resized = positionsFor(positions, { rows: imageSize, columns: imageSize }, patchSize);
    return tf.expandDims(resized) as tf.Tensor3D;
  });
}

/** Keys' cubic convolution with PyTorch's constant. */
const a = -0.75;

/**
 * How `to` samples come from `from`, `[to, from]`: bicubic without antialiasing, edges repeated.
 * The reference asks for a scale of `(to + 0.1) / from`, so that the size does not round down, and
 * samples by that scale: the published weights expect the grid that follows.
 */
function cubicMatrix(to: number, from: number): tf.Tensor2D {
  return tf.tensor2d(cubicWeights(to, from), [to, from]);
}

/** The values of the matrix, row by row. */
export function cubicWeights(to: number, from: number): Float32Array {
  const values = new Float32Array(to * from);
  const scale = (to + 0.1) / from;
  for (let i = 0; i < to; i++) {
    const source = (i + 0.5) / scale - 0.5;
    const first = Math.floor(source);
    const t = source - first;
    [outer(1 + t), inner(t), inner(1 - t), outer(2 - t)].forEach((weight, tap) => {
      const clamped = Math.min(Math.max(first - 1 + tap, 0), from - 1);
      const at = i * from + clamped;
      values[at] = (values[at] as number) + weight;
    });
  }
  return values;
}

/** The kernel for distances up to 1. */
function inner(x: number): number {
  return ((a + 2) * x - (a + 3)) * x * x + 1;
}

/** The kernel for distances from 1 to 2. */
function outer(x: number): number {
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}
