import * as tf from "@tensorflow/tfjs-core";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { assertFeatures, assertSameDim, type Features } from "../features.ts";
import { giveWay, type LongCall } from "../long-call.ts";

/** What makes features uncorrelated and equally wide in every direction. */
export interface Whitening {
  /** Values in a row. */
  readonly dim: number;
  /** Is taken from every row: `dim` values. */
  readonly mean: Float32Array;
  /** What a row without its mean is then multiplied by, row by row: `[dim, dim]`. */
  readonly matrix: Float32Array;
}

export interface LearnWhiteningOptions extends Pick<LongCall, "signal"> {
  /**
   * Whether the second moments are taken about the mean. The reference takes them about zero,
   * and so does this unless told otherwise: the published figures were measured so.
   */
  readonly centered?: boolean;
}

/** Variances below this share of the largest count as that share: they are noise. */
const leastVariance = 1e-5;

/** Rows that are multiplied at once. */
const rowsAtOnce = 4096;

/** Learns a whitening from features of pictures that are no part of the test. */
export async function learnWhitening(
  features: Features,
  { centered = false, signal }: LearnWhiteningOptions = {},
): Promise<Whitening> {
  assertFeatures("features", features);
  const { dim, count } = features;
  const mean = columnMeans(features);
  const rows = centered ? without(features.rows, mean) : features.rows;
  const moments = await secondMoments(rows, { dim, count, signal });
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(moments, {
    assumeSymmetric: true,
  });
  signal?.throwIfAborted();
  const least = leastVariance * realEigenvalues.reduce((a, b) => Math.max(a, b));
  if (!(least > 0)) {
    throw new RangeError("features: expected rows that differ, got nothing but zeros");
  }
  const matrix = new Float32Array(dim * dim);
  for (let axis = 0; axis < dim; axis++) {
    const scale = 1 / Math.sqrt(Math.max(realEigenvalues[axis] as number, least));
    for (let i = 0; i < dim; i++) matrix[axis * dim + i] = scale * eigenvectorMatrix.get(i, axis);
  }
  return { dim, mean, matrix };
}

/** The features in the whitening's own axes; labels stay. */
export async function whiten(
  features: Features,
  { dim, mean, matrix }: Whitening,
  { signal, onProgress }: LongCall = {},
): Promise<Features> {
  assertFeatures("features", features);
  assertSameDim("features", features, "the whitening", { ...features, dim });
  const rows = new Float32Array(features.rows.length);
  const transposed = tf.tidy(() => tf.transpose(tf.tensor2d(matrix, [dim, dim])));
  try {
    for (let first = 0; first < features.count; first += rowsAtOnce) {
      signal?.throwIfAborted();
      const end = Math.min(first + rowsAtOnce, features.count);
      const part = without(features.rows.subarray(first * dim, end * dim), mean);
      const product = tf.tidy(() => tf.matMul(tf.tensor2d(part, [end - first, dim]), transposed));
      rows.set(await valuesOf(product), first * dim);
      onProgress?.({ done: end, total: features.count });
      await giveWay();
    }
  } finally {
    transposed.dispose();
  }
  return { ...features, rows };
}

function columnMeans({ rows, dim, count }: Features): Float32Array {
  const sums = new Float64Array(dim);
  for (let at = 0; at < rows.length; at++) {
    sums[at % dim] = (sums[at % dim] as number) + (rows[at] as number);
  }
  return Float32Array.from(sums, (sum) => sum / count);
}

function without(rows: Float32Array, mean: Float32Array): Float32Array {
  return rows.map((value, at) => value - (mean[at % mean.length] as number));
}

/** The mean of every row's product with itself: `[dim, dim]`. */
async function secondMoments(
  rows: Float32Array,
  { dim, count, signal }: { readonly dim: number; readonly count: number } & LongCall,
): Promise<Matrix> {
  const sums = new Float64Array(dim * dim); // of parts, which a backend adds up in float32
  for (let first = 0; first < count; first += rowsAtOnce) {
    signal?.throwIfAborted();
    const end = Math.min(first + rowsAtOnce, count);
    const product = tf.tidy(() => {
      const part = tf.tensor2d(rows.subarray(first * dim, end * dim), [end - first, dim]);
      return tf.matMul(tf.transpose(part), part);
    });
    const values = await valuesOf(product);
    for (let at = 0; at < sums.length; at++) {
      sums[at] = (sums[at] as number) + (values[at] as number) / count;
    }
    await giveWay();
  }
  const lines = Array.from({ length: dim }, (_, i) => sums.subarray(i * dim, (i + 1) * dim));
  return new Matrix(lines);
}

async function valuesOf(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return await tensor.data<"float32">();
  } finally {
    tensor.dispose();
  }
}
