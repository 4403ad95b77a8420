import type { Program } from "../program.ts";
import { placeOfSequence, segmentScalars, sequenceOfRow } from "./segments.ts";

const threads = 64;

/** How many threads share each column of a sum of many rows. */
const sharing = 8;

/** How many columns a group of `sumRowsProgram` adds up. */
export function columnsOfGroup(shares: boolean): number {
  return shares ? 32 : threads;
}

/**
 * Sums of rows `[rows, columns]`, a chunk of rows after the other: `[chunks, columns]`. A second
 * output takes the columns from `split` on. Several threads share a column where rows are many.
 */
export function sumRowsProgram(splits: boolean, shares: boolean): Program {
  const across = columnsOfGroup(shares);
  const down = shares ? sharing : 1;
  return {
    name: `sumRows ${splits} ${shares}`,
    reads: ["x"],
    writes: ["y", ...(splits ? ["rest"] : [])],
    scalars: {
      rows: "u32",
      columns: "u32",
      rowsOfChunk: "u32",
      split: "u32",
      startX: "u32",
    },
    workgroupSize: [across, down],
    declarations: shares ? `var<workgroup> sums: array<f32, ${across * down}>;` : "",
    body: `
  let blocks = (u.columns + ${across - 1}u) / ${across}u;
  let column = (group % blocks) * ${across}u + local.x;
  let chunk = group / blocks;
  let firstRow = chunk * u.rowsOfChunk;
  let endRow = min(firstRow + u.rowsOfChunk, u.rows);
  var sum = 0.0;
  if (column < u.columns) {
    for (var row = firstRow + local.y; row < endRow; row += ${down}u) {
      sum += x[u.startX + row * u.columns + column];
    }
  }
  ${shares ? "sums[thread] = sum;\n  workgroupBarrier();" : ""}
  if (local.y > 0u || column >= u.columns || firstRow >= u.rows) { return; }
  ${shares ? `for (var other = 1u; other < ${down}u; other++) { sum += sums[other * ${across}u + local.x]; }` : ""}
  ${
    splits
      ? `if (column >= u.split) { rest[column - u.split] = sum; } else { y[column] = sum; }`
      : "y[chunk * u.columns + column] = sum;"
  }`,
  };
}

/** Every row times its own factor. */
export const scaleRowsProgram: Program = {
  name: "scaleRows",
  reads: ["x", "factors"],
  writes: ["y"],
  scalars: { size: "u32", columns: "u32" },
  workgroupSize: [threads, 1],
  body: `
  let at = group * ${threads}u + thread;
  if (at >= u.size) { return; }
  y[at] = x[at] * factors[at / u.columns];`,
};

/** One factor for each row of the sequences of several segments, `[rows]`. */
export function rowFactorsProgram(segments: number): Program {
  return {
    name: `rowFactors ${segments}`,
    reads: ["scale"],
    writes: ["factors"],
    scalars: { rows: "u32", ...segmentScalars(segments) },
    workgroupSize: [threads, 1],
    declarations: sequenceOfRow(segments),
    body: `
  let row = group * ${threads}u + thread;
  if (row >= u.rows) { return; }
  factors[row] = scale[sequenceOfRow(row).x];`,
  };
}

/** The first row of every sequence: `[sequences, columns]`, out of halves too. */
export function firstRowsProgram(segments: number, isHalf: boolean): Program {
  return {
    name: `firstRows ${segments} ${isHalf}`,
    halves: isHalf ? ["x"] : [],
    reads: ["x"],
    writes: ["y"],
    scalars: { size: "u32", columns: "u32", ...segmentScalars(segments) },
    workgroupSize: [threads, 1],
    declarations: placeOfSequence(segments),
    body: `
  let at = group * ${threads}u + thread;
  if (at >= u.size) { return; }
  let first = placeOfSequence(at / u.columns).x;
  y[at] = xAt(first * u.columns + at % u.columns);`,
  };
}

/**
 * Each row as the first one of a sequence; the others zero, or as they are where it `adds` and
 * writes into what is there.
 */
export function atFirstRowsProgram(segments: number, adds: boolean): Program {
  return {
    name: `atFirstRows ${segments} ${adds}`,
    reads: ["dy"],
    writes: ["dx"],
    scalars: { size: "u32", columns: "u32", ...segmentScalars(segments) },
    workgroupSize: [threads, 1],
    declarations: adds ? placeOfSequence(segments) : sequenceOfRow(segments),
    body: adds
      ? `
  let at = group * ${threads}u + thread;
  if (at >= u.size) { return; }
  let first = placeOfSequence(at / u.columns).x;
  dx[first * u.columns + at % u.columns] += dy[at];`
      : `
  let at = group * ${threads}u + thread;
  if (at >= u.size) { return; }
  let place = sequenceOfRow(at / u.columns);
  var value = 0.0;
  if (place.y == 0u) { value = dy[place.x * u.columns + at % u.columns]; }
  dx[at] = value;`,
  };
}
