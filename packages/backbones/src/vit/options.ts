export interface VitOptions {
  /** Side of a patch in pixels. */
  readonly patchSize?: number;
  /** Side of the square pictures that the learned positions are made for; others are interpolated. */
  readonly imageSize?: number;
  /** Width of a block's hidden layer by that of its input. */
  readonly mlpRatio?: number;
  /** How often the last block's branches are dropped in training; earlier ones less, the first never. */
  readonly dropPath?: number;
  /** Whether gradients reach the pictures, which training has no use for. */
  readonly pixelGradients?: boolean;
}

/** Throws a `RangeError` that names the option which makes no sense. */
export function assertOptions(
  sizes: Readonly<Record<"embedDim" | "depth" | "heads" | "patchSize" | "imageSize", number>>,
  { mlpRatio, dropPath }: { readonly mlpRatio: number; readonly dropPath: number },
): void {
  for (const [name, value] of Object.entries(sizes)) {
    assertCount(name, value, 1, Number.MAX_SAFE_INTEGER);
  }
  const { embedDim, heads, patchSize, imageSize } = sizes;
  if (embedDim % heads !== 0) {
    throw new RangeError(`embedDim: expected a multiple of ${heads} heads, got ${embedDim}`);
  }
  if (imageSize < patchSize) {
    throw new RangeError(`imageSize: expected at least a patch of ${patchSize}, got ${imageSize}`);
  }
  if (!(mlpRatio > 0)) throw new RangeError(`mlpRatio: expected above 0, got ${mlpRatio}`);
  if (!(dropPath >= 0 && dropPath < 1)) {
    throw new RangeError(`dropPath: expected from 0 to below 1, got ${dropPath}`);
  }
}

/** Throws a `RangeError` unless `value` is an integer from `low` to `high`. */
export function assertCount(name: string, value: number, low: number, high: number): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  const range =
    high === Number.MAX_SAFE_INTEGER ? "a positive integer" : `an integer from ${low} to ${high}`;
  throw new RangeError(`${name}: expected ${range}, got ${value}`);
}
