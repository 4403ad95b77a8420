/** A linear classifier: plain numbers, of PyTorch's shapes. */
export interface LinearClassifier {
  readonly classes: number;
  /** Values of a feature. */
  readonly dim: number;
  /** `[classes, dim]` */
  readonly weight: Float32Array;
  /** `[classes]` */
  readonly bias: Float32Array;
}
