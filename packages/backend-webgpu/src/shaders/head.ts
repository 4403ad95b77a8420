import type { Program } from "../program.ts";
import { reduceFunctions } from "./reduce.ts";

const threads = 64;

/** Finds the row of the group, or leaves. */
const begin = `
  if (group >= u.rows) { return; }
  let first = group * u.columns;`;

/** Rows of length 1: `x / max(|x|, epsilon)`, and what they were divided by. */
export const l2NormalizeProgram: Program = {
  name: "l2Normalize",
  reads: ["x"],
  writes: ["y", "norm"],
  scalars: { rows: "u32", columns: "u32", epsilon: "f32" },
  workgroupSize: [threads, 1],
  declarations: reduceFunctions(threads),
  body: `${begin}
  var squares = 0.0;
  for (var i = thread; i < u.columns; i += ${threads}u) { squares += x[first + i] * x[first + i]; }
  let divisor = max(sqrt(total(thread, squares)), u.epsilon);
  if (thread == 0u) { norm[group] = divisor; }
  for (var i = thread; i < u.columns; i += ${threads}u) { y[first + i] = x[first + i] / divisor; }`,
};

export const l2NormalizeBackwardProgram: Program = {
  name: "l2NormalizeBackward",
  reads: ["dy", "x", "norm"],
  writes: ["dx"],
  scalars: { rows: "u32", columns: "u32", epsilon: "f32" },
  workgroupSize: [threads, 1],
  declarations: reduceFunctions(threads),
  body: `${begin}
  let divisor = norm[group];
  var sum = 0.0;
  for (var i = thread; i < u.columns; i += ${threads}u) { sum += dy[first + i] * x[first + i]; }
  // Where the norm was below epsilon, it was a constant.
  let along = select(0.0, total(thread, sum) / divisor, divisor > u.epsilon);
  for (var i = thread; i < u.columns; i += ${threads}u) {
    dx[first + i] = (dy[first + i] - x[first + i] / divisor * along) / divisor;
  }`,
};

/** What each row of a direction is multiplied by to have the length `gain`. */
export const rowScalesProgram: Program = {
  name: "rowScales",
  reads: ["direction", "gain"],
  writes: ["scales"],
  scalars: { rows: "u32", columns: "u32" },
  workgroupSize: [threads, 1],
  declarations: reduceFunctions(threads),
  body: `${begin}
  var squares = 0.0;
  for (var i = thread; i < u.columns; i += ${threads}u) {
    squares += direction[first + i] * direction[first + i];
  }
  let square = total(thread, squares);
  if (thread == 0u) { scales[group] = gain[group] / sqrt(square); }`,
};

/**
 * The gradients of gain and direction from that of the weight, which `dDirection` holds before and
 * which is written over.
 */
export const weightNormBackwardProgram: Program = {
  name: "weightNormBackward",
  reads: ["direction", "gain"],
  writes: ["dDirection", "dGain"],
  scalars: { rows: "u32", columns: "u32" },
  workgroupSize: [threads, 1],
  declarations: reduceFunctions(threads),
  body: `${begin}
  var sums = vec2<f32>();
  for (var i = thread; i < u.columns; i += ${threads}u) {
    let value = direction[first + i];
    sums += vec2<f32>(value * value, value * dDirection[first + i]);
  }
  let all = totals(thread, sums);
  let norm = sqrt(all.x);
  let slope = all.y / norm;
  if (thread == 0u) { dGain[group] = slope; }
  for (var i = thread; i < u.columns; i += ${threads}u) {
    let unit = direction[first + i] / norm;
    dDirection[first + i] = (dDirection[first + i] - unit * slope) * (gain[group] / norm);
  }`,
};
