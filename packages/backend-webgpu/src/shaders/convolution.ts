/** Which product of a convolution: what comes out of it, or the gradient of its input or its filter. */
export type ConvolutionProduct = "output" | "input" | "filter";

/** Sizes of a convolution of pictures `[pictures, rows, columns, channels]`. */
export type ConvolutionSize =
  | "pictureRows"
  | "pictureColumns"
  | "channels"
  /** Rows, columns and channels that come out. */
  | "placesDown"
  | "placesAcross"
  | "outputs"
  | "kernelColumns"
  /** Elements of the kernel, of one channel. */
  | "area"
  | "stride"
  | "padding";

export const convolutionScalars: Readonly<Record<ConvolutionSize, "u32">> = {
  pictureRows: "u32",
  pictureColumns: "u32",
  channels: "u32",
  placesDown: "u32",
  placesAcross: "u32",
  outputs: "u32",
  kernelColumns: "u32",
  area: "u32",
  stride: "u32",
  padding: "u32",
};

/** How a product's operands are found in a convolution's tensors; what is not said is a matrix. */
export interface Operands {
  /** An element of `a` by `row` and `k`, and of `b` by `k` and `column`. */
  readonly a?: string;
  readonly b?: string;
  /** Where in a matrix of so many `columns` an element is written, by `row` and `column`. */
  readonly y?: string;
  readonly functions: string;
}

/**
 * The cells of a kernel come one after the other, each with all its channels, as pictures lie in
 * memory; a weight lies as `[outputs, channels, rows, columns]`.
 */
export const convolutionOperands: Readonly<Record<ConvolutionProduct, Operands>> = {
  output: {
    a: "pixelAt(row, k)",
    b: "b[(column * u.channels + k % u.channels) * u.area + k / u.channels]",
    functions: pixelAt("a"),
  },
  input: {
    a: "slopeAt(row, k)",
    b: "b[(k % u.outputs * u.channels + column) * u.area + k / u.outputs]",
    functions: slopeAt("a"),
  },
  filter: {
    b: "pixelAt(k, column)",
    y: "row * u.columns + column % u.channels * u.area + column / u.channels",
    functions: pixelAt("b"),
  },
};

/** What an element of the kernel meets at a place of the output; zero around the pictures. */
function pixelAt(x: string): string {
  return `
fn pixelAt(place: u32, element: u32) -> f32 {
  let cell = element / u.channels;
  let down = place / u.placesAcross % u.placesDown;
  // Above and left of the picture the difference is huge, for it has no sign.
  let row = down * u.stride + cell / u.kernelColumns - u.padding;
  let column = place % u.placesAcross * u.stride + cell % u.kernelColumns - u.padding;
  if (row >= u.pictureRows || column >= u.pictureColumns) { return 0.0; }
  let picture = place / u.placesAcross / u.placesDown;
  return ${x}[((picture * u.pictureRows + row) * u.pictureColumns + column) * u.channels + element % u.channels];
}`;
}

/** The gradient of the output at the place where an element of the kernel meets a pixel; zero where there is none. */
function slopeAt(dy: string): string {
  return `
fn slopeAt(pixel: u32, element: u32) -> f32 {
  let cell = element / u.outputs;
  let row = pixel / u.pictureColumns % u.pictureRows + u.padding - cell / u.kernelColumns;
  let column = pixel % u.pictureColumns + u.padding - cell % u.kernelColumns;
  let down = row / u.stride;
  let across = column / u.stride;
  if (down >= u.placesDown || across >= u.placesAcross) { return 0.0; }
  if (down * u.stride != row || across * u.stride != column) { return 0.0; }
  let picture = pixel / u.pictureColumns / u.pictureRows;
  return ${dy}[((picture * u.placesDown + down) * u.placesAcross + across) * u.outputs + element % u.outputs];
}`;
}
