/** What the last step came to. */
export interface Metrics {
  /** The step, from 1. */
  readonly step: number;
  readonly loss: number;
  /** Mean entropy of the teacher's targets, in nats: 0 is one-hot, ln(prototypes) is uniform. */
  readonly targetEntropy: number;
  /** Mean Kullback-Leibler divergence of the student from the teacher, in nats; 0 is collapse. */
  readonly divergence: number;
  /** Norm of all gradients together, before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly teacherMomentum: number;
  readonly teacherTemperature: number;
}

/** The loss is no number any more; the weights are spoilt, the last checkpoint is not. */
export class NonFiniteLossError extends Error {
  override readonly name = "NonFiniteLossError";
  readonly metrics: Metrics;

  constructor(metrics: Metrics) {
    const { step, loss, targetEntropy, divergence, gradientNorm } = metrics;
    super(
      `loss: expected a finite number at step ${step}, got ${loss} ` +
        `(target entropy ${targetEntropy}, divergence ${divergence}, gradient norm ${gradientNorm})`,
    );
    this.metrics = metrics;
  }
}
