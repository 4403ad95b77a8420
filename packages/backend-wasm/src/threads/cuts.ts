import type { Kernels } from "../kernels.ts";
import type { Axis } from "./create-thread.ts";

/** How a kernel's work may be cut. Addresses grow evenly along what is cut, and results do not mix. */
export interface Cut {
  readonly axes: readonly Cuttable[];
  /** Roughly what all of it takes one thread, in nanoseconds. */
  readonly time: number;
  /** The argument where it works, and how many bytes it needs there. */
  readonly scratch?: { readonly argument: number; readonly bytes: number };
}

/** An axis whose parts are a multiple of so many; or just so many, where their sums are added. */
export interface Cuttable extends Omit<Axis, "each"> {
  readonly multiple?: number;
  readonly each?: number;
}

type Names = Exclude<keyof Kernels, "productScratch" | "attentionScratch" | "rowsTogether">;
type Numbers<Name extends Names> = Parameters<Kernels[Name]>;

/** The kernels that are cut, of their arguments. Those that are not listed run on one thread. */
export const cuts: { readonly [Name in Names]?: (args: Numbers<Name>, scratch: Scratch) => Cut } = {
  product: ([, aRow, , , , bColumn, , cRow, rows, columns, inner, bias], { product }) => ({
    axes: [
      {
        total: rows,
        count: 8,
        multiple: 4,
        steps: [
          [0, aRow],
          [6, cRow],
        ],
      },
      {
        ...{ total: columns, count: 9, multiple: 8 },
        steps: [
          [3, bColumn],
          [6, 4],
          [11, bias === 0 ? 0 : 4],
        ],
      },
    ],
    time: rows * columns * inner * 0.08,
    scratch: { argument: 13, bytes: product },
  }),

  attend: ([, qRow, , , kRow, , yRow, sequences, asking, tokens, heads, width], { attention }) => ({
    axes: [
      {
        ...{ total: sequences, count: 7 },
        steps: [
          [0, asking * qRow],
          [2, tokens * kRow],
          [3, tokens * kRow],
          [5, asking * yRow],
        ],
      },
      { total: heads, count: 10, steps: [0, 2, 3, 5].map((each) => [each, 4 * width]) },
    ],
    time: sequences * heads * asking * tokens * (2 * width * 0.1 + 3),
    scratch: { argument: 12, bytes: attention(tokens) },
  }),

  attendBack: (
    [, qRow, , , kRow, , yRow, , , , sequences, asking, tokens, heads, width],
    { attention },
  ) => ({
    axes: [
      {
        ...{ total: sequences, count: 10 },
        steps: [
          ...[0, 7].map((each) => [each, asking * qRow] as const),
          ...[2, 3, 8, 9].map((each) => [each, tokens * kRow] as const),
          [5, asking * yRow],
        ],
      },
      {
        ...{ total: heads, count: 13 },
        steps: [0, 2, 3, 5, 7, 8, 9].map((each) => [each, 4 * width] as const),
      },
    ],
    time: sequences * heads * asking * tokens * (5 * width * 0.1 + 4),
    scratch: { argument: 15, bytes: attention(tokens) },
  }),

  attentionWeights: ([, , row, , sequences, tokens, heads, width], { attention }) => ({
    axes: [
      {
        ...{ total: sequences, count: 4 },
        steps: [
          [0, tokens * row],
          [1, tokens * row],
          [3, 4 * heads * tokens * tokens],
        ],
      },
    ],
    time: sequences * heads * tokens * tokens * (width * 0.1 + 3),
    scratch: { argument: 8, bytes: attention(tokens) },
  }),

  layerNorm: ([, , , , rows, columns]) => ({
    axes: [{ total: rows, count: 4, steps: along(columns, [0, 6], [7, 8]) }],
    time: rows * columns,
  }),
  layerNormAgain: ([, , , , , rows, columns]) => ({
    axes: [{ total: rows, count: 5, steps: along(columns, [0, 7], [3, 4]) }],
    time: rows * columns * 0.5,
  }),
  unitRows: ([, , rows, columns]) => ({
    axes: [{ total: rows, count: 2, steps: along(columns, [0, 4], [5]) }],
    time: rows * columns,
  }),
  unitRowsBack: ([, , , , rows, columns]) => ({
    axes: [{ total: rows, count: 4, steps: along(columns, [0, 1, 6], [2]) }],
    time: rows * columns * 2,
  }),
  normedWeight: ([, , rows, columns]) => ({
    axes: [{ total: rows, count: 2, steps: along(columns, [0, 4], [1, 5]) }],
    time: rows * columns,
  }),
  normedWeightBack: ([, , , rows, columns]) => ({
    axes: [{ total: rows, count: 3, steps: along(columns, [0, 5], [1, 2, 6]) }],
    time: rows * columns * 2,
  }),
  softmax: ([, , rows, columns]) => ({
    axes: [{ total: rows, count: 2, steps: along(columns, [0, 4]) }],
    time: rows * columns * 2,
  }),

  gelu: ([, , count]) => values(count, 2, [0, 1], 2),
  geluParts: ([, , , count]) => values(count, 3, [0, 1, 2], 5),
  geluBack: ([, , , count]) => values(count, 3, [0, 1, 2], 5),
  relu: ([, , count]) => values(count, 2, [0, 1], 0.3),
  reluBack: ([, , , count]) => values(count, 3, [0, 1, 2], 0.3),
  add: ([, , count]) => values(count, 2, [0, 1], 0.3),
  multiply: ([, , count]) => values(count, 2, [0, 1], 0.3),
  scale: ([, , count]) => values(count, 2, [0, 3], 0.3),
  movingAverage: ([, , , count]) => values(count, 3, [0, 1], 0.5),
  adamW: ([, , , , count]) => values(count, 4, [0, 1, 2, 3], 1.5),
  descend: ([, , , count]) => values(count, 3, [0, 1, 2], 1),

  scaleRuns: ([, , runs, count]) => ({
    axes: [{ total: runs, count: 2, steps: along(count, [0, 4], [1]) }],
    time: runs * count * 0.3,
  }),
  sumRows: ([, around, rows, columns]) => ({
    axes: [
      {
        ...{ total: columns, count: 3, multiple: 16 },
        steps: [
          [0, 4],
          [1, around === 0 ? 0 : 4],
          [5, 4],
        ],
      },
    ],
    time: rows * columns * 0.3,
  }),
  transpose: ([, matrices, rows, columns]) => ({
    axes: [{ total: matrices, count: 1, steps: along(rows * columns, [0, 4]) }],
    time: matrices * rows * columns * 0.5,
  }),
  copyRuns: ([, xStride, , yStride, runs, bytes]) => ({
    axes: yStride < bytes ? [] : [runsOf(runs, xStride, yStride)],
    time: runs * bytes * 0.1,
  }),
  gatherWindows: ([, pictures, ...sizes]) =>
    windows(pictures, sizes, 1, [
      [0, "pixels"],
      [13, "windows"],
    ]),
  addWindows: ([, pictures, ...sizes]) =>
    windows(pictures, sizes, 1, [
      [0, "windows"],
      [13, "pixels"],
    ]),
  maxPoolBack: ([, , pictures, ...sizes]) =>
    windows(pictures, sizes, 2, [
      [0, "places"],
      [1, "pixels"],
      [14, "pixels"],
    ]),
  addRuns: ([, xStride, , yStride, runs, count]) => ({
    axes: yStride < 4 * count ? [] : [runsOf(runs, xStride, yStride)],
    time: runs * count * 0.3,
  }),
};

/**
 * Sums, and what a part of rows sums into a row of its own: their parts are the same on any number
 * of threads, or results were not.
 */
export const sums: typeof cuts = {
  layerNormBack: ([, , , , , around, rows, columns], { rowsTogether }) => ({
    axes: [
      {
        ...{ total: rows, count: 6, each: rowsTogether },
        steps: [
          ...along(columns, around === 0 ? [0, 1, 8] : [0, 1, 5, 8], [3, 4]),
          ...[9, 10].map((each) => [each, (4 * columns) / rowsTogether] as const),
        ],
      },
    ],
    time: rows * columns * 1.5,
  }),
  squaredNorm: ([, count]) => ({
    axes: [{ total: count, count: 1, each: valuesTogether, steps: [[0, 4]] }],
    time: count * 0.3,
  }),
  squaredDirection: ([, , , count]) => ({
    axes: [
      {
        total: count,
        count: 3,
        each: valuesTogether,
        steps: [
          [0, 4],
          [1, 4],
        ],
      },
    ],
    time: count * 0.5,
  }),
  crossEntropy: ([, , crops, globals, batch, outcomes]) => ({
    axes: [{ total: batch, count: 4, each: 1, steps: along(outcomes, [0, 1]) }],
    time: batch * outcomes * (globals + 3 * crops),
    scratch: { argument: 8, bytes: 4 * outcomes },
  }),
  crossEntropyBack: ([, , crops, globals, batch, outcomes]) => ({
    axes: [{ total: batch, count: 4, each: 1, steps: along(outcomes, [0, 1, 9]) }],
    time: batch * outcomes * (globals + 3 * crops),
    scratch: { argument: 10, bytes: 4 * outcomes },
  }),
};

/** Values whose squares are summed by one thread. */
const valuesTogether = 65536;

/** Bytes that kernels need to work in, and rows whose sum is one part of all. */
export interface Scratch {
  readonly rowsTogether: number;
  readonly product: number;
  attention(tokens: number): number;
}

/** Rows of so many values at some arguments, and of one value at others. */
function along(
  columns: number,
  rows: readonly number[],
  single: readonly number[] = [],
): Axis["steps"] {
  return [
    ...rows.map((argument) => [argument, 4 * columns] as const),
    ...single.map((argument) => [argument, 4] as const),
  ];
}

/** So many values at each of some arguments, each of which takes so many nanoseconds. */
function values(total: number, count: number, at: readonly number[], time: number): Cut {
  const steps = at.map((argument) => [argument, 4] as const);
  return { axes: [{ total, count, multiple: 64, steps }], time: total * time };
}

/** Runs from one place to another, by what lies between two of them in each. */
function runsOf(total: number, xStride: number, yStride: number): Cuttable {
  const steps = [
    [0, xStride],
    [2, yStride],
  ] as const;
  return { total, count: 4, steps };
}

/** Pictures one by one; each argument goes on by its pixels, by what windows see, or by places. */
function windows(
  pictures: number,
  sizes: readonly number[],
  count: number,
  at: readonly (readonly [argument: number, of: "pixels" | "windows" | "places"])[],
): Cut {
  const [rows, columns, channels, kernelRows, kernelColumns] = sizes as Five;
  const [outRows, outColumns] = sizes.slice(9) as [number, number];
  const places = outRows * outColumns * channels;
  const values = {
    places,
    pixels: rows * columns * channels,
    windows: places * kernelRows * kernelColumns,
  };
  const steps = at.map(([argument, of]) => [argument, 4 * values[of]] as const);
  return { axes: [{ total: pictures, count, steps }], time: pictures * values.windows };
}
type Five = [number, number, number, number, number];
