import type { Program } from "../program.ts";

const scalars = {
  size: "u32",
  rows: "u32",
  columns: "u32",
  channels: "u32",
  side: "u32",
  down: "u32",
  across: "u32",
} as const;

/**
 * Pictures `[pictures, rows, columns, channels]` as rows of `channels * patch * patch` elements,
 * a channel after the other as in the weight: for every picture a row of zeros, which stands for
 * its class token, and one for each patch.
 */
export const patchRowsProgram: Program = {
  name: "patchRows",
  reads: ["images"],
  writes: ["y"],
  scalars,
  workgroupSize: [64, 1],
  body: `
  let at = group * 64u + thread;
  if (at >= u.size) { return; }
  let area = u.side * u.side;
  let width = u.channels * area;
  let tokens = 1u + u.down * u.across;
  let i = at % width;
  let token = (at / width) % tokens;
  let picture = at / width / tokens;
  var value = 0.0;
  if (token > 0u) {
    let row = (token - 1u) / u.across * u.side + i % area / u.side;
    let column = (token - 1u) % u.across * u.side + i % u.side;
    value = images[((picture * u.rows + row) * u.columns + column) * u.channels + i / area];
  }
  y[at] = value;`,
};

/** The way back: pixels that no patch covers are zero. */
export const patchPixelsProgram: Program = {
  name: "patchPixels",
  reads: ["dRows"],
  writes: ["dImages"],
  scalars,
  workgroupSize: [64, 1],
  body: `
  let at = group * 64u + thread;
  if (at >= u.size) { return; }
  let channel = at % u.channels;
  let column = at / u.channels % u.columns;
  let row = at / u.channels / u.columns % u.rows;
  let picture = at / u.channels / u.columns / u.rows;
  var value = 0.0;
  if (row < u.down * u.side && column < u.across * u.side) {
    let token = 1u + row / u.side * u.across + column / u.side;
    let i = (channel * u.side + row % u.side) * u.side + column % u.side;
    let width = u.channels * u.side * u.side;
    value = dRows[(picture * (1u + u.down * u.across) + token) * width + i];
  }
  dImages[at] = value;`,
};

/** What is added to the tokens of every picture: positions, and the class token or the bias. */
export const tokenTableProgram: Program = {
  name: "tokenTable",
  reads: ["positions", "classToken", "bias"],
  writes: ["table"],
  scalars: { size: "u32", width: "u32" },
  workgroupSize: [64, 1],
  body: `
  let at = group * 64u + thread;
  if (at >= u.size) { return; }
  table[at] = positions[at] + select(bias[at % u.width], classToken[at % u.width], at < u.width);`,
};
