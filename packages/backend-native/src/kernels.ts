import type { Segment } from "@dino/ops";

/** Activations in memory: float32, or the bits of bfloat16. */
export type Activations = Float32Array | Uint16Array;

/** Sizes of a product `[rows, inputs]` times `[inputs, outputs]`. */
export interface ProductSize {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Whether bfloat16 is multiplied. */
  readonly bf16: boolean;
}

/** Pictures `[pictures, rows, columns, channels]`, cut into patches. */
export interface GridInfo {
  readonly pictures: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  readonly patch: number;
}

/** Sizes of the loss's inputs. */
export interface ViewsInfo {
  readonly crops: number;
  readonly globals: number;
  readonly batch: number;
  readonly prototypes: number;
  readonly temperature: number;
}

type Array = Float32Array;
type Activation = "none" | "gelu" | "relu";

/**
 * The native kernels of our operations, as the addon exports them. Weights are `[outputs, inputs]`
 * as in PyTorch. Results are written into arrays that are given; a wrong length is an error.
 */
export interface Kernels {
  affine(
    x: Activations,
    weight: Array,
    bias: Array,
    activation: Activation,
    y: Activations,
    before: Activations | undefined,
    size: ProductSize,
  ): void;
  affineNormed(
    x: Array,
    normWeight: Array,
    normBias: Array,
    epsilon: number,
    mean: Array,
    inverseStd: Array,
    weight: Array,
    bias: Array,
    activation: Activation,
    y: Activations,
    before: Activations | undefined,
    size: ProductSize,
  ): void;
  affineResidual(
    x: Activations,
    weight: Array,
    bias: Array,
    factors: Array | undefined,
    onto: Array,
    y: Array,
    size: ProductSize,
  ): void;
  productBack(
    dy: Array,
    factors: Array | undefined,
    weight: Array,
    before: Activations | undefined,
    dx: Array,
    size: ProductSize,
  ): void;
  weightBack(
    dy: Array,
    factors: Array | undefined,
    x: Activations,
    isBefore: boolean,
    dWeight: Array,
    dBias: Array,
    size: ProductSize,
  ): void;
  weightBackNormed(
    dy: Array,
    x: Array,
    normWeight: Array,
    normBias: Array,
    mean: Array,
    inverseStd: Array,
    dWeight: Array,
    dBias: Array,
    size: ProductSize,
  ): void;
  activationBack(dy: Array, before: Array, activation: "gelu" | "relu", dx: Array): void;
  /** The exact GELU, and its derivative where there is room for it. */
  gelu(x: Array, y: Array, slope: Array | undefined): void;
  layerNorm(
    x: Array,
    weight: Array,
    bias: Array,
    epsilon: number,
    y: Array,
    mean: Array,
    inverseStd: Array,
  ): void;
  layerNormAgain(
    x: Array,
    weight: Array,
    bias: Array,
    mean: Array,
    inverseStd: Array,
    y: Array,
  ): void;
  layerNormBack(
    dy: Array,
    x: Array,
    weight: Array,
    mean: Array,
    inverseStd: Array,
    around: Array | undefined,
    dx: Array,
    dWeight: Array,
    dBias: Array,
  ): void;
  attend(
    qkv: Activations,
    mixed: Activations,
    segments: readonly Segment[],
    heads: number,
    width: number,
  ): void;
  attendBack(
    qkv: Activations,
    dy: Array,
    dQkv: Array,
    segments: readonly Segment[],
    heads: number,
    width: number,
  ): void;
  attendWeights(
    qkv: Array,
    weights: Array,
    sequences: number,
    tokens: number,
    heads: number,
    width: number,
  ): void;
  attendClass(
    q: Array,
    kv: Array,
    mixed: Array,
    segments: readonly Segment[],
    heads: number,
    width: number,
  ): void;
  attendClassBack(
    q: Array,
    kv: Array,
    dy: Array,
    dQ: Array,
    dKv: Array,
    segments: readonly Segment[],
    heads: number,
    width: number,
  ): void;
  dinoLoss(student: Array, targets: Array, info: ViewsInfo): number;
  dinoLossBack(student: Array, targets: Array, dy: number, gradient: Array, info: ViewsInfo): void;
  weightNormLinear(
    x: Array,
    gain: Array,
    direction: Array,
    y: Array,
    rows: number,
    inputs: number,
  ): void;
  weightNormLinearBack(
    x: Array,
    gain: Array,
    direction: Array,
    dy: Array,
    dx: Array,
    dGain: Array,
    dDirection: Array,
    rows: number,
    inputs: number,
  ): void;
  unitRows(x: Array, epsilon: number, y: Array, norms: Array): void;
  unitRowsBack(dy: Array, x: Array, norms: Array, epsilon: number, dx: Array): void;
  embedPatches(
    images: Array,
    weight: Array,
    bias: Array,
    classToken: Array,
    positions: Array,
    y: Array,
    grid: GridInfo,
    bf16: boolean,
  ): void;
  embedPatchesBack(
    dy: Array,
    images: Array,
    dWeight: Array,
    dBias: Array,
    dPositions: Array,
    grid: GridInfo,
    bf16: boolean,
  ): void;
  embedPatchesPixelsBack(
    dy: Array,
    weight: Array,
    dImages: Array,
    width: number,
    grid: GridInfo,
  ): void;
  adamW(
    parameter: Array,
    gradient: Array,
    moment1: Array,
    moment2: Array,
    average: Array | undefined,
    settings: {
      readonly learningRate: number;
      readonly weightDecay: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly step: number;
      readonly clip?: number;
      readonly momentum?: number;
    },
  ): void;
  descend(
    parameter: Array,
    gradient: Array,
    buffer: Array,
    settings: {
      readonly learningRate: number;
      readonly weightDecay: number;
      readonly momentum: number;
      readonly isFirst: boolean;
      readonly trust?: number;
    },
  ): void;
  movingAverage(average: Array, value: Array, momentum: number): void;
  clipByNorm(gradient: Array, maximum: number): void;
  squaredNorm(x: Array): number;
}
