/** Numbers that the addon gives to names. */
type Names<Name extends string> = Readonly<Record<Name, number>>;

export type UnaryName =
  | "Abs"
  | "Ceil"
  | "ClipByValue"
  | "Elu"
  | "Erf"
  | "Exp"
  | "Floor"
  | "LeakyRelu"
  | "Log"
  | "Neg"
  | "Reciprocal"
  | "Relu"
  | "Relu6"
  | "Round"
  | "Rsqrt"
  | "Sigmoid"
  | "Sign"
  | "Softplus"
  | "Sqrt"
  | "Square"
  | "Step"
  | "Tanh";

export type BinaryName =
  | "Add"
  | "EluGrad"
  | "Maximum"
  | "Minimum"
  | "Multiply"
  | "Pow"
  | "Prelu"
  | "RealDiv"
  | "SquaredDifference"
  | "Sub";

export type ComparisonName =
  | "Equal"
  | "Greater"
  | "GreaterEqual"
  | "Less"
  | "LessEqual"
  | "NotEqual";

export type ReductionName = "Max" | "Mean" | "Min" | "Prod" | "Sum";

/**
 * The addon's functions behind tfjs's own kernels. Arrays are dense, sizes are checked against
 * their lengths, and what is written to shares no memory with anything else.
 */
export interface StockFunctions {
  readonly UnaryFunction: Names<UnaryName>;
  readonly BinaryFunction: Names<BinaryName>;
  readonly Comparison: Names<ComparisonName>;
  readonly Reduction: Names<ReductionName>;
  readonly Interpolation: Names<"Bilinear" | "BilinearGradient" | "Nearest">;
  readonly FillMode: Names<"constant" | "reflect" | "wrap" | "nearest">;

  /** `to = function(x)`; two parameters, for functions that have any. */
  stockUnary(name: number, x: Float32Array, to: Float32Array, first: number, second: number): void;
  /**
   * `to = function(a, b)`; for each axis of `to`, `axes` has its size and the steps of `a` and `b`.
   * Without axes, each of `a` and `b` is as long as `to`, or one number.
   */
  stockBinary(
    name: number,
    a: Float32Array,
    b: Float32Array,
    to: Float32Array,
    axes: Int32Array,
  ): void;
  stockCompare(
    name: number,
    a: Float32Array,
    b: Float32Array,
    to: Uint8Array,
    axes: Int32Array,
  ): void;
  stockSelect(
    condition: Uint8Array,
    then: Float32Array,
    otherwise: Float32Array,
    to: Float32Array,
  ): void;
  /** `to += x`. */
  stockAccumulate(x: Float32Array, to: Float32Array): void;
  stockFloatToInt(x: Float32Array, to: Int32Array): void;
  stockFloatToBool(x: Float32Array, to: Uint8Array): void;
  stockIntToFloat(x: Int32Array, to: Float32Array): void;
  stockBoolToFloat(x: Uint8Array, to: Float32Array): void;

  /** `x` `[outer, count, inner]` to `to` `[outer, inner]`. */
  stockReduce(
    name: number,
    x: Float32Array,
    to: Float32Array,
    outer: number,
    count: number,
    inner: number,
  ): void;
  /** Where each row's largest, or smallest, number is; `to` has a place for each row. */
  stockArgExtreme(smallest: boolean, x: Float32Array, to: Int32Array): void;
  stockSoftmax(x: Float32Array, to: Float32Array, width: number): void;

  /** Products `[m, n]` of the left and right matrices whose numbers `pairs` has two by two. */
  stockProducts(
    left: Float32Array,
    right: Float32Array,
    to: Float32Array,
    m: number,
    k: number,
    n: number,
    leftTransposed: boolean,
    rightTransposed: boolean,
    pairs: Uint32Array,
  ): void;
  /** A product with a bias for each column, unless it is empty, kept between two numbers. */
  stockProduct(
    left: Float32Array,
    right: Float32Array,
    bias: Float32Array,
    to: Float32Array,
    m: number,
    k: number,
    n: number,
    rightTransposed: boolean,
    least: number,
    most: number,
  ): void;

  /** Copies a box: for each axis, `axes` has its size and the steps of `to` and of `from`. */
  stockRearrange(
    from: Float32Array,
    to: Float32Array,
    axes: Int32Array,
    toStart: number,
    fromStart: number,
  ): void;
  /** Rows of `x` `[batch, outer, dim, width]` by their numbers, `indices` `[batch, count]`. */
  stockGather(
    x: Float32Array,
    indices: Int32Array,
    to: Float32Array,
    batch: number,
    outer: number,
    dim: number,
    width: number,
  ): void;
  /** Sums of rows of `width` numbers that have the same id. */
  stockSegmentSum(x: Float32Array, ids: Int32Array, to: Float32Array, width: number): void;

  /** A convolution with a bias for each filter, unless it is empty, kept between two numbers. */
  stockConvolve(
    x: Float32Array,
    filter: Float32Array,
    bias: Float32Array,
    to: Float32Array,
    sizes: Int32Array,
    least: number,
    most: number,
  ): void;
  stockInputGradient(
    dy: Float32Array,
    filter: Float32Array,
    to: Float32Array,
    sizes: Int32Array,
  ): void;
  stockFilterGradient(x: Float32Array, dy: Float32Array, to: Float32Array, sizes: Int32Array): void;
  stockDepthwise(x: Float32Array, filter: Float32Array, to: Float32Array, sizes: Int32Array): void;
  stockPool(max: boolean, x: Float32Array, to: Float32Array, sizes: Int32Array): void;
  stockMaxPoolGradient(
    x: Float32Array,
    dy: Float32Array,
    to: Float32Array,
    sizes: Int32Array,
  ): void;
  stockMeanPoolGradient(dy: Float32Array, to: Float32Array, sizes: Int32Array): void;

  /** Channels, the last axis, normalised; no scale and no offset are empty. */
  stockBatchNorm(
    x: Float32Array,
    mean: Float32Array,
    variance: Float32Array,
    scale: Float32Array,
    offset: Float32Array,
    to: Float32Array,
    epsilon: number,
  ): void;
  /** `sizes` are images, height and width before and after, and channels. */
  stockResize(
    interpolation: number,
    x: Float32Array,
    to: Float32Array,
    sizes: Uint32Array,
    aligned: boolean,
    halfPixels: boolean,
  ): void;
  stockTransform(
    x: Float32Array,
    matrices: Float32Array,
    to: Float32Array,
    sizes: Uint32Array,
    bilinear: boolean,
    mode: number,
    fill: number,
  ): void;
}
