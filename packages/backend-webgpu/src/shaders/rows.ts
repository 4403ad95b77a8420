import type { Program } from "../program.ts";
import { placeOfSequence, segmentScalars, sequenceOfRow } from "./segments.ts";

const threads = 64;

/** How many threads, one a column, a group of `sumRowsProgram` has. */
export const columnsOfGroup: number = threads;

/**
 * Sums of rows `[rows, columns]`, a chunk of rows after the other: `[chunks, columns]`. A second
 * output takes the columns from `split` on.
 */
export function sumRowsProgram(splits: boolean): Program {
  return {
    name: `sumRows ${splits}`,
    reads: ["x"],
    writes: ["y", ...(splits ? ["rest"] : [])],
    scalars: {
      rows: "u32",
      columns: "u32",
      rowsOfChunk: "u32",
      split: "u32",
      startX: "u32",
    },
    workgroupSize: [threads, 1],
    body: `
  let blocks = (u.columns + ${threads - 1}u) / ${threads}u;
  let column = (group % blocks) * ${threads}u + thread;
  let chunk = group / blocks;
  let firstRow = chunk * u.rowsOfChunk;
  if (column >= u.columns || firstRow >= u.rows) { return; }
  var sum = 0.0;
  for (var row = firstRow; row < min(firstRow + u.rowsOfChunk, u.rows); row++) {
    sum += x[u.startX + row * u.columns + column];
  }
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
