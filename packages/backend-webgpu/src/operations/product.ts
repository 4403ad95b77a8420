import type * as tf from "@tensorflow/tfjs-core";
import { remembered } from "../remembered.ts";
import type { ConvolutionProduct, ConvolutionSize } from "../shaders/convolution.ts";
import { type Half, type MatMul, matMulProgram, type Tile } from "../shaders/mat-mul.ts";
import type { DinoWebGPUBackend } from "../webgpu-backend.ts";
import { sizeOf } from "./size-of.ts";

/** A matrix in a tensor's values, as it is stored: rows of `stride` elements, from `start` on. */
export interface Matrix {
  readonly tensor: tf.TensorInfo;
  readonly start?: number;
  readonly stride: number;
  /** Elements from one of a batch to the next. */
  readonly batch?: number;
  /**
   * Whether it is multiplied as float32 in any precision: gradients, which are too small for
   * halves.
   */
  readonly isExact?: boolean;
}

type Epilogue = Omit<
  MatMul,
  | "tile"
  | "transposeA"
  | "transposeB"
  | "innerFactors"
  | "bias"
  | "factors"
  | "residual"
  | "sumsOfA"
  | "keepsBefore"
  | "halves"
  | "shares"
  | "convolution"
>;

/** What is multiplied: `[rows, inner]` by `[inner, columns]`. */
export interface Operands {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly a: Matrix;
  readonly b: Matrix;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** A convolution that a product is part of. */
export interface Convolution {
  readonly product: ConvolutionProduct;
  readonly scalars: Readonly<Record<ConvolutionSize, number>>;
}

/** A product, and what is done to it before it is written. */
export interface Product extends Operands, Epilogue {
  /** How many products there are: 1 unless given. */
  readonly batch?: number;
  /** What it is of a convolution, whose operands are gathered from pictures. */
  readonly convolution?: Convolution;
  /**
   * So much of the inner dimension, a multiple of the tile's depth, is the share of each of the
   * batch: their products are parts of a sum.
   */
  readonly share?: number;
  /** Takes the product, rows of `columns`, from its own `start` on. */
  readonly y: tf.TensorInfo;
  readonly startY?: number;
  readonly bias?: tf.TensorInfo | undefined;
  /** Where in `bias` and `sums` it begins. */
  readonly startBias?: number;
  /** Takes what is before the activation, or gives it where the slope is asked for. */
  readonly before?: tf.TensorInfo | undefined;
  /** What `a` is multiplied by along the inner dimension. */
  readonly innerFactors?: tf.TensorInfo | undefined;
  readonly rowFactors?: tf.TensorInfo | undefined;
  readonly columnFactors?: tf.TensorInfo | undefined;
  /** Is added; where it has fewer elements than the product, again and again. */
  readonly residual?: tf.TensorInfo | undefined;
  /** Takes the sums of `a` over the inner dimension. */
  readonly sums?: tf.TensorInfo | undefined;
}

/** Records a product of matrices. */
export function multiply(backend: DinoWebGPUBackend, product: Product): void {
  const { rows, columns, inner, batch = 1, a, b, y, bias, before, residual, sums } = product;
  const { innerFactors, rowFactors, columnFactors } = product;
  const factors = rowFactors ?? columnFactors;
  const { transposeA = false, transposeB = false, slope, geluOfB, activation } = product;
  const tile = tileFor(backend, product);
  const program = programs({
    tile,
    transposeA,
    transposeB,
    ...(geluOfB && { geluOfB }),
    ...(innerFactors && { innerFactors: true }),
    ...(sums && { sumsOfA: true }),
    ...(bias && { bias: true }),
    ...(activation !== undefined && activation !== "none" && { activation }),
    ...(before && slope === undefined && { keepsBefore: true }),
    ...(slope && { slope }),
    ...(factors && { factors: rowFactors ? ("rows" as const) : ("columns" as const) }),
    ...(residual && { residual: true }),
    ...(product.share !== undefined && { shares: true }),
    ...(product.convolution && { convolution: product.convolution.product }),
    ...halvesOf(backend, product),
  });
  backend.run(program, {
    reads: [
      a.tensor,
      b.tensor,
      ...(innerFactors ? [innerFactors] : []),
      ...(bias ? [bias] : []),
      ...(before && slope ? [before] : []),
      ...(factors ? [factors] : []),
      ...(residual ? [residual] : []),
    ],
    writes: [y, ...(before && !slope ? [before] : []), ...(sums ? [sums] : [])],
    scalars: {
      rows,
      columns,
      inner,
      startA: a.start ?? 0,
      startB: b.start ?? 0,
      startY: product.startY ?? 0,
      startBias: product.startBias ?? 0,
      batchA: a.batch ?? 0,
      batchB: b.batch ?? 0,
      batchY: rows * columns,
      strideA: a.stride,
      strideB: b.stride,
      batch,
      period: residual ? sizeOf(residual) : 1,
      share: product.share ?? inner,
      ...product.convolution?.scalars,
    },
    groups: batch * groupsOf(tile, rows, columns),
  });
}

/** Which tensors of a product are halves, and what is made halves on the way. */
function halvesOf(
  backend: DinoWebGPUBackend,
  { a, b, y, before }: Product,
): Pick<MatMul, "halves"> {
  const format = ({ tensor, isExact = false }: Matrix): Half | undefined => {
    if (backend.isHalf(tensor)) return "stored";
    return backend.precision === "f16" && !isExact ? "rounded" : undefined;
  };
  const [ofA, ofB] = [format(a), format(b)];
  const halves = {
    ...(ofA && { a: ofA }),
    ...(ofB && { b: ofB }),
    ...(backend.isHalf(y) && { y: true }),
    ...(before && backend.isHalf(before) && { before: true }),
  };
  return Object.keys(halves).length > 0 ? { halves } : {};
}

const programs = remembered(matMulProgram, JSON.stringify);

/**
 * Among how many a long inner dimension is shared, so that a product of few outputs keeps the
 * device busy, and how much each of them gets.
 */
export function sharesOf(
  { tuning }: DinoWebGPUBackend,
  { rows, columns, inner }: Pick<Operands, "rows" | "columns" | "inner">,
): { readonly shares: number; readonly share: number } {
  const { threads, depth, manyGroups } = tuning;
  const groups = groupsOf({ threads, depth, fours: 1 }, rows, columns);
  const wanted = Math.min(Math.ceil((4 * manyGroups) / groups), Math.ceil(inner / leastShare));
  const share = depth * Math.ceil(inner / wanted / depth);
  return { shares: Math.ceil(inner / share), share };
}

/** Less of an inner dimension is not worth the sum. */
const leastShare = 256;

/** Eight by eight outputs a thread where that leaves enough groups, else four by four. */
function tileFor({ tuning }: DinoWebGPUBackend, { rows, columns, batch = 1 }: Product): Tile {
  const { threads, depth, manyGroups } = tuning;
  const large: Tile = { threads, depth, fours: 2 };
  const isLarge = batch * groupsOf(large, rows, columns) >= manyGroups;
  const fits = rows > 4 * threads[0] && columns > 4 * threads[1];
  return isLarge && fits ? large : { ...large, fours: 1 };
}

function groupsOf({ threads, fours }: Tile, rows: number, columns: number): number {
  const [down, across] = threads;
  return Math.ceil(rows / (4 * fours * down)) * Math.ceil(columns / (4 * fours * across));
}
