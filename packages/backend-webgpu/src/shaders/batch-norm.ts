import type { Program } from "../program.ts";

const threads = 64;

/**
 * Sums of columns `[rows, columns]`, a chunk of rows after the other, times `factor`: of the
 * elements, or of the squares of their distances from `mean`. `[chunks, columns]`.
 */
export function columnMomentsProgram(ofSquares: boolean): Program {
  return {
    name: `columnMoments ${ofSquares}`,
    reads: ["x", ...(ofSquares ? ["mean"] : [])],
    writes: ["y"],
    scalars: { rows: "u32", columns: "u32", rowsOfChunk: "u32", factor: "f32" },
    workgroupSize: [threads, 1],
    body: `${chunk}
  ${ofSquares ? "let middle = mean[column];" : ""}
  var sum = 0.0;
  for (var row = firstRow; row < lastRow; row++) {
    let value = x[row * u.columns + column]${ofSquares ? " - middle" : ""};
    sum += ${ofSquares ? "value * value" : "value"};
  }
  y[chunk * u.columns + column] = sum * u.factor;`,
  };
}

/** Finds the thread's column and the rows that it goes through, or leaves. */
const chunk = `
  let blocks = (u.columns + ${threads - 1}u) / ${threads}u;
  let column = (group % blocks) * ${threads}u + thread;
  let chunk = group / blocks;
  let firstRow = chunk * u.rowsOfChunk;
  if (column >= u.columns || firstRow >= u.rows) { return; }
  let lastRow = min(firstRow + u.rowsOfChunk, u.rows);`;

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
