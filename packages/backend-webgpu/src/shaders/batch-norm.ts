import type * as tf from "@tensorflow/tfjs-core";
import type { Program } from "../program.ts";

const threads = 64;

/** How many columns a group goes through, one a thread. */
export const columnsOfGroup: number = threads;

/** Finds the thread's column and the rows that it goes through, or leaves. */
const chunk = `
  let blocks = (u.columns + ${threads - 1}u) / ${threads}u;
  let column = (group % blocks) * ${threads}u + thread;
  let chunk = group / blocks;
  let firstRow = chunk * u.rowsOfChunk;
  if (column >= u.columns || firstRow >= u.rows) { return; }
  let lastRow = min(firstRow + u.rowsOfChunk, u.rows);`;

/**
 * The moments of columns `[rows, columns]`, a chunk of rows after the other: their means, then the
 * sums of the squares of their distances from those, `[chunks, 2 * columns]`.
 */
export const chunkMomentsProgram: Program = {
  name: "chunkMoments",
  reads: ["x"],
  writes: ["parts"],
  scalars: { rows: "u32", columns: "u32", rowsOfChunk: "u32" },
  workgroupSize: [threads, 1],
  body: `${chunk}
  var sum = 0.0;
  for (var row = firstRow; row < lastRow; row++) { sum += x[row * u.columns + column]; }
  let mean = sum / f32(lastRow - firstRow);
  var squares = 0.0;
  for (var row = firstRow; row < lastRow; row++) {
    let distance = x[row * u.columns + column] - mean;
    squares += distance * distance;
  }
  parts[chunk * 2u * u.columns + column] = mean;
  parts[(chunk * 2u + 1u) * u.columns + column] = squares;`,
};

/** Mean and biased variance of columns by the moments of their chunks (Chan et al. 1979), `[columns]` each. */
export const joinMomentsProgram: Program = {
  name: "joinMoments",
  reads: ["parts"],
  writes: ["mean", "variance"],
  scalars: { rows: "u32", columns: "u32", rowsOfChunk: "u32" },
  workgroupSize: [threads, 1],
  declarations: `
fn rowsOf(chunk: u32) -> f32 { return f32(min(u.rowsOfChunk, u.rows - chunk * u.rowsOfChunk)); }`,
  body: `
  let column = group * ${threads}u + thread;
  if (column >= u.columns) { return; }
  let chunks = (u.rows + u.rowsOfChunk - 1u) / u.rowsOfChunk;
  // Means are added up as distances from the first one, which loses less.
  let first = parts[column];
  var sum = 0.0;
  for (var chunk = 1u; chunk < chunks; chunk++) {
    sum += rowsOf(chunk) * (parts[chunk * 2u * u.columns + column] - first);
  }
  let middle = first + sum / f32(u.rows);
  var squares = 0.0;
  for (var chunk = 0u; chunk < chunks; chunk++) {
    let distance = parts[chunk * 2u * u.columns + column] - middle;
    squares += parts[(chunk * 2u + 1u) * u.columns + column] + rowsOf(chunk) * distance * distance;
  }
  mean[column] = middle;
  variance[column] = squares / f32(u.rows);`,
};

export interface Ending {
  readonly activates: boolean;
  readonly hasResidual: boolean;
}

const begin = `
  let at = group * ${threads}u + thread;
  if (at >= u.size) { return; }
  let column = at % u.columns;`;

/** What is normalised by the columns' statistics, and what ends a residual block. */
export function batchNormProgram({ activates, hasResidual }: Ending): Program {
  return {
    name: `batchNorm ${activates} ${hasResidual}`,
    reads: ["x", "mean", "variance", "weight", "bias", ...(hasResidual ? ["residual"] : [])],
    writes: ["y"],
    scalars: { size: "u32", columns: "u32", epsilon: "f32" },
    workgroupSize: [threads, 1],
    body: `${begin}
  let factor = weight[column] * inverseSqrt(variance[column] + u.epsilon);
  var value = (x[at] - mean[column]) * factor + bias[column];
  ${hasResidual ? "value += residual[at];" : ""}
  y[at] = ${activates ? "max(value, 0.0)" : "value"};`,
  };
}

/** The gradient of what went into an activation whose output is `y`. */
const slopeOf = (activates: boolean) => (activates ? "select(0.0, dy[at], y[at] > 0.0)" : "dy[at]");

/**
 * The gradients of weight and bias, a sum for each chunk of rows: `[chunks, 2 * columns]`. Where
 * there is a residual behind an activation, its gradient too: an adapter may bind no more than eight
 * buffers, which the next program would need more of.
 */
export function batchNormSumsProgram({ activates, hasResidual }: Ending): Program {
  const keepsSlope = activates && hasResidual;
  return {
    name: `batchNormSums ${activates} ${keepsSlope}`,
    reads: ["dy", "x", "mean", "variance", ...(activates ? ["y"] : [])],
    writes: ["sums", ...(keepsSlope ? ["dResidual"] : [])],
    scalars: { rows: "u32", columns: "u32", rowsOfChunk: "u32", epsilon: "f32" },
    workgroupSize: [threads, 1],
    body: `${chunk}
  let middle = mean[column];
  let inverse = inverseSqrt(variance[column] + u.epsilon);
  var sum = vec2<f32>();
  for (var row = firstRow; row < lastRow; row++) {
    let at = row * u.columns + column;
    let slope = ${slopeOf(activates)};
    sum += slope * vec2<f32>((x[at] - middle) * inverse, 1.0);
    ${keepsSlope ? "dResidual[at] = slope;" : ""}
  }
  sums[chunk * 2u * u.columns + column] = sum.x;
  sums[(chunk * 2u + 1u) * u.columns + column] = sum.y;`,
  };
}

/** The gradients of weight and bias: the sums over all chunks, together and one by one. */
export const batchNormTotalsProgram: Program = {
  name: "batchNormTotals",
  reads: ["parts"],
  writes: ["sums", "dWeight", "dBias"],
  scalars: { chunks: "u32", columns: "u32" },
  workgroupSize: [threads, 1],
  body: `
  let column = group * ${threads}u + thread;
  if (column >= u.columns) { return; }
  var sum = vec2<f32>();
  for (var chunk = 0u; chunk < u.chunks; chunk++) {
    let at = chunk * 2u * u.columns + column;
    sum += vec2<f32>(parts[at], parts[at + u.columns]);
  }
  sums[column] = sum.x;
  sums[u.columns + column] = sum.y;
  dWeight[column] = sum.x;
  dBias[column] = sum.y;`,
};

/**
 * The gradient of what was normalised, through the statistics too; `sums` are the gradients of weight
 * and bias, `dy` is the gradient of
 * the output where it `activates`, and else of what went into the activation.
 */
export function batchNormBackwardProgram(activates: boolean): Program {
  return {
    name: `batchNormBackward ${activates}`,
    reads: ["dy", "x", "mean", "variance", "weight", "sums", ...(activates ? ["y"] : [])],
    writes: ["dx"],
    scalars: { size: "u32", columns: "u32", epsilon: "f32", factor: "f32" },
    workgroupSize: [threads, 1],
    body: `${begin}
  let slope = ${slopeOf(activates)};
  let inverse = inverseSqrt(variance[column] + u.epsilon);
  let normed = (x[at] - mean[column]) * inverse;
  let through = (sums[u.columns + column] + normed * sums[column]) * u.factor;
  dx[at] = (slope - through) * weight[column] * inverse;`,
  };
}

/** Running statistics after one more batch, and how many there were, a number of either kind, if that is counted. */
export function moveStatisticsProgram(count: tf.DataType | undefined): Program {
  const isWord = count === "int32";
  return {
    name: `moveStatistics ${count}`,
    reads: ["runningMean", "runningVariance", ...(count ? ["count"] : []), "mean", "variance"],
    writes: ["nextMean", "nextVariance", ...(count ? ["nextCount"] : [])],
    words: isWord ? ["count", "nextCount"] : [],
    scalars: { columns: "u32", share: "f32", keeps: "f32", unbias: "f32" },
    workgroupSize: [threads, 1],
    body: `
  let column = group * ${threads}u + thread;
  ${count ? `if (column == 0u) { nextCount[0] = count[0] + ${isWord ? "1u" : "1.0"}; }` : ""}
  if (column >= u.columns) { return; }
  nextMean[column] = u.keeps * runningMean[column] + u.share * mean[column];
  nextVariance[column] = u.keeps * runningVariance[column] + u.share * (u.unbias * variance[column]);`,
  };
}
