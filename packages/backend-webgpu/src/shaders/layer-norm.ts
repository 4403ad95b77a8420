import type { Program } from "../program.ts";
import { reduceFunctions } from "./reduce.ts";

const threads = 64;

/**
 * Rows of mean 0 and variance 1, times a weight, plus a bias: a group for each row. Halves are
 * written two at a time.
 */
export function layerNormProgram(isHalf: boolean): Program {
  return {
    name: `layerNorm ${isHalf}`,
    reads: ["x", "weight", "bias"],
    writes: ["y", "mean", "inverseStd"],
    halves: isHalf ? ["y"] : [],
    scalars: { rows: "u32", columns: "u32", epsilon: "f32" },
    workgroupSize: [threads, 1],
    declarations: reduceFunctions(threads),
    body: `
  if (group >= u.rows) { return; }
  let first = group * u.columns;
  var sum = 0.0;
  for (var i = thread; i < u.columns; i += ${threads}u) { sum += x[first + i]; }
  let middle = total(thread, sum) / f32(u.columns);
  var squares = 0.0;
  for (var i = thread; i < u.columns; i += ${threads}u) {
    let off = x[first + i] - middle;
    squares += off * off;
  }
  let inverse = inverseSqrt(total(thread, squares) / f32(u.columns) + u.epsilon);
  if (thread == 0u) {
    mean[group] = middle;
    inverseStd[group] = inverse;
  }
  for (var word = thread; word < u.columns / ${lanes(isHalf)}u; word += ${threads}u) {
    let i = word * ${lanes(isHalf)}u;
    ${write(isHalf, "first + i", (plus) => `(x[first + i${plus}] - middle) * inverse * weight[i${plus}] + bias[i${plus}]`)}
  }`,
  };
}

const lanes = (isHalf: boolean) => (isHalf ? 2 : 1);

/** Writes one number to `y`, or two as halves, from what each of them is. */
function write(isHalf: boolean, at: string, value: (plus: string) => string): string {
  return isHalf
    ? `y[(${at}) / 2u] = halvesOf(vec2<f32>(${value("")}, ${value(" + 1u")}));`
    : `y[${at}] = ${value("")};`;
}

/** The output once more, from the statistics of the first time: a thread for each number or word. */
export function layerNormAgainProgram(isHalf: boolean): Program {
  return {
    name: `layerNormAgain ${isHalf}`,
    reads: ["x", "weight", "bias", "mean", "inverseStd"],
    writes: ["y"],
    halves: isHalf ? ["y"] : [],
    scalars: { size: "u32", columns: "u32" },
    workgroupSize: [threads, 1],
    body: `
  let at = (group * ${threads}u + thread) * ${lanes(isHalf)}u;
  if (at >= u.size) { return; }
  let row = at / u.columns;
  let column = at % u.columns;
  ${write(isHalf, "at", (plus) => `(x[at${plus}] - mean[row]) * inverseStd[row] * weight[column${plus}] + bias[column${plus}]`)}`,
  };
}

/** The most columns whose sums fit into the memory of a group. */
const columnsInMemory = 1536;

/**
 * The gradient of the rows, to which `onto` is added, and the gradients of weight and bias summed
 * over the rows of each group: `[groups, 2, columns]`.
 */
export function layerNormBackwardProgram(columns: number, addsOnto: boolean): Program {
  const inMemory = columns <= columnsInMemory;
  const [ofWeight, ofBias] = inMemory
    ? ["sums[i]", "sums[u.columns + i]"]
    : ["partial[start + i]", "partial[start + u.columns + i]"];
  return {
    name: `layerNormBackward ${inMemory ? columns : "any"} ${addsOnto}`,
    reads: ["dy", "x", "weight", "mean", "inverseStd", ...(addsOnto ? ["onto"] : [])],
    writes: ["dx", "partial"],
    scalars: { rows: "u32", columns: "u32", rowsOfGroup: "u32" },
    workgroupSize: [threads, 1],
    declarations: `${reduceFunctions(threads)}
${inMemory ? `var<workgroup> sums: array<f32, ${2 * columns}>;` : ""}`,
    body: `
  let firstRow = group * u.rowsOfGroup;
  if (firstRow >= u.rows) { return; }
  let start = group * 2u * u.columns;
  // Every thread has columns of its own, in which no other one writes.
  for (var i = thread; i < u.columns; i += ${threads}u) {
    ${ofWeight} = 0.0;
    ${ofBias} = 0.0;
  }
  for (var row = firstRow; row < min(firstRow + u.rowsOfGroup, u.rows); row++) {
    let first = row * u.columns;
    let middle = mean[row];
    let inverse = inverseStd[row];
    var sum = vec2<f32>();
    for (var i = thread; i < u.columns; i += ${threads}u) {
      let slope = dy[first + i];
      let normed = (x[first + i] - middle) * inverse;
      ${ofWeight} += slope * normed;
      ${ofBias} += slope;
      sum += slope * weight[i] * vec2<f32>(1.0, normed);
    }
    let means = totals(thread, sum) / f32(u.columns);
    for (var i = thread; i < u.columns; i += ${threads}u) {
      let normed = (x[first + i] - middle) * inverse;
      let value = (dy[first + i] * weight[i] - means.x - normed * means.y) * inverse;
      dx[first + i] = value${addsOnto ? " + onto[first + i]" : ""};
    }
  }
  ${
    inMemory
      ? `for (var i = thread; i < u.columns; i += ${threads}u) {
    partial[start + i] = ${ofWeight};
    partial[start + u.columns + i] = ${ofBias};
  }`
      : ""
  }`,
  };
}
