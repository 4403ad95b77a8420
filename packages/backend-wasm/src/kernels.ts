/** Where something lies in the heap, in bytes. */
export type Address = number;

/**
 * How windows lie over pictures: `pictures, rows, columns, channels`, a kernel's rows and columns,
 * strides down and across, padding at the top and left, the windows' rows and columns.
 */
export type WindowSizes = readonly [
  pictures: number,
  rows: number,
  columns: number,
  channels: number,
  kernelRows: number,
  kernelColumns: number,
  strideRows: number,
  strideColumns: number,
  top: number,
  left: number,
  outRows: number,
  outColumns: number,
];

/**
 * The functions of the module that `assembly/` is compiled to; what they compute is written
 * there. Counts are of float32 values, strides of bytes. Nothing is checked.
 */
export interface Kernels {
  readonly productScratch: { readonly value: number };
  readonly rowsTogether: { readonly value: number };
  product(
    ...args: [
      a: Address,
      aRow: number,
      aColumn: number,
      b: Address,
      bRow: number,
      bColumn: number,
      c: Address,
      cRow: number,
      rows: number,
      columns: number,
      inner: number,
      bias: Address,
      accumulate: number,
      scratch: Address,
    ]
  ): void;
  attentionScratch(tokens: number): number;
  attend(
    ...args: [
      q: Address,
      qRow: number,
      k: Address,
      v: Address,
      kRow: number,
      y: Address,
      yRow: number,
      sequences: number,
      asking: number,
      tokens: number,
      heads: number,
      width: number,
      scratch: Address,
    ]
  ): void;
  attendBack(
    ...args: [
      q: Address,
      qRow: number,
      k: Address,
      v: Address,
      kRow: number,
      dy: Address,
      yRow: number,
      dq: Address,
      dk: Address,
      dv: Address,
      sequences: number,
      asking: number,
      tokens: number,
      heads: number,
      width: number,
      scratch: Address,
    ]
  ): void;
  attentionWeights(
    ...args: [
      q: Address,
      k: Address,
      row: number,
      weights: Address,
      sequences: number,
      tokens: number,
      heads: number,
      width: number,
      scratch: Address,
    ]
  ): void;
  layerNorm(
    ...args: [
      x: Address,
      weight: Address,
      bias: Address,
      epsilon: number,
      rows: number,
      columns: number,
      y: Address,
      mean: Address,
      inverse: Address,
    ]
  ): void;
  layerNormAgain(
    ...args: [
      x: Address,
      weight: Address,
      bias: Address,
      mean: Address,
      inverse: Address,
      rows: number,
      columns: number,
      y: Address,
    ]
  ): void;
  layerNormBack(
    ...args: [
      dy: Address,
      x: Address,
      weight: Address,
      mean: Address,
      inverse: Address,
      around: Address,
      rows: number,
      columns: number,
      dx: Address,
      dWeight: Address,
      dBias: Address,
    ]
  ): void;
  unitRows(
    ...args: [x: Address, epsilon: number, rows: number, columns: number, y: Address, norm: Address]
  ): void;
  unitRowsBack(
    ...args: [
      dy: Address,
      x: Address,
      norm: Address,
      epsilon: number,
      rows: number,
      columns: number,
      dx: Address,
    ]
  ): void;
  normedWeight(
    ...args: [
      direction: Address,
      gain: Address,
      rows: number,
      columns: number,
      weight: Address,
      norm: Address,
    ]
  ): void;
  normedWeightBack(
    ...args: [
      direction: Address,
      gain: Address,
      norm: Address,
      rows: number,
      columns: number,
      dDirection: Address,
      dGain: Address,
    ]
  ): void;
  gelu(x: Address, y: Address, count: number): void;
  geluParts(x: Address, y: Address, slope: Address, count: number): void;
  geluBack(dy: Address, x: Address, dx: Address, count: number): void;
  relu(x: Address, y: Address, count: number): void;
  reluBack(dy: Address, x: Address, dx: Address, count: number): void;
  softmax(x: Address, scale: number, rows: number, columns: number, y: Address): void;
  add(x: Address, y: Address, count: number): void;
  multiply(x: Address, y: Address, count: number): void;
  scaleRuns(x: Address, factors: Address, runs: number, count: number, y: Address): void;
  sumRows(
    ...args: [
      x: Address,
      around: Address,
      rows: number,
      columns: number,
      stride: number,
      sums: Address,
    ]
  ): void;
  transpose(x: Address, matrices: number, rows: number, columns: number, y: Address): void;
  clear(x: Address, bytes: number): void;
  copyRuns(
    ...args: [x: Address, xStride: number, y: Address, yStride: number, runs: number, bytes: number]
  ): void;
  addRuns(
    ...args: [x: Address, xStride: number, y: Address, yStride: number, runs: number, count: number]
  ): void;
  gatherWindows(...args: [images: Address, ...sizes: WindowSizes, windows: Address]): void;
  addWindows(...args: [windows: Address, ...sizes: WindowSizes, images: Address]): void;
  maxPoolBack(
    ...args: [dy: Address, images: Address, ...sizes: WindowSizes, dImages: Address]
  ): void;
  crossEntropy(
    ...args: [
      student: Address,
      targets: Address,
      crops: number,
      globals: number,
      batch: number,
      outcomes: number,
      view: number,
      temperature: number,
      scratch: Address,
    ]
  ): number;
  crossEntropyBack(
    ...args: [
      student: Address,
      targets: Address,
      crops: number,
      globals: number,
      batch: number,
      outcomes: number,
      view: number,
      temperature: number,
      factor: number,
      gradient: Address,
      scratch: Address,
    ]
  ): void;
  squaredNorm(x: Address, count: number): number;
  squaredDirection(parameter: Address, gradient: Address, decay: number, count: number): number;
  scale(x: Address, factor: number, count: number, y: Address): void;
  movingAverage(average: Address, value: Address, momentum: number, count: number): void;
  adamW(
    ...args: [
      parameter: Address,
      gradient: Address,
      moment1: Address,
      moment2: Address,
      count: number,
      clip: number,
      decay: number,
      beta1: number,
      beta2: number,
      rate: number,
      spread: number,
      epsilon: number,
    ]
  ): void;
  descend(
    ...args: [
      parameter: Address,
      gradient: Address,
      buffer: Address,
      count: number,
      isFirst: number,
      rate: number,
      decay: number,
      momentum: number,
      ratio: number,
    ]
  ): void;
}
