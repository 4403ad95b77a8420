import type { Layer, Layers } from "./layers.ts";

/** A convolution of a picture. */
export interface ConvolutionSize {
  /** Channels that go in and that come out. */
  readonly inputs: number;
  readonly outputs: number;
  /** Rows and columns of its kernel. */
  readonly kernel: number;
  /** Rows and columns of pixels that come out. */
  readonly rows: number;
  readonly columns: number;
}

/** The convolutions of a picture of `rows` and `columns`, the stem first. */
export function convolutionSizes(
  { stem, blocks }: Layers,
  rows: number,
  columns: number,
): readonly ConvolutionSize[] {
  let extent = { rows, columns };
  const after = ({ inputs, outputs, kernel, stride }: Layer): ConvolutionSize => {
    if (stride === 2) extent = halved(extent);
    return { inputs, outputs, kernel, ...extent };
  };
  const first = after(stem);
  extent = halved(extent); // by the pooling
  const others = blocks.flatMap(({ layers, projection }) => {
    const own = layers.map(after);
    return projection ? [...own, after({ ...projection, stride: 1 })] : own;
  });
  return [first, ...others];
}

/** What a centred window with stride 2 leaves. */
function halved({ rows, columns }: { rows: number; columns: number }): {
  rows: number;
  columns: number;
} {
  return { rows: Math.ceil(rows / 2), columns: Math.ceil(columns / 2) };
}
