import * as tf from "@tensorflow/tfjs-core";

export interface TargetContext {
  /** Running mean of the teacher's logits, `[prototypes]`. */
  readonly center: tf.Tensor1D;
  /** Above 0 and below the student's: divides the logits, so that the targets become sharper. */
  readonly temperature: number;
}

/**
 * How the teacher's logits `[globals, batch, prototypes]` become what the student is to match:
 * probabilities of the same shape, over the last axis. It is what keeps training from collapsing,
 * and gradients never pass it.
 */
export type TargetTransform = (teacher: tf.Tensor3D, context: TargetContext) => tf.Tensor3D;

/**
 * DINO's own (Caron et al. 2021, https://arxiv.org/abs/2104.14294): the running centre is
 * subtracted, so that no prototype wins for all pictures, and a low temperature sharpens what is
 * left, so that the targets do not become uniform.
 */
export function centerSharpen(): TargetTransform {
  return (teacher, { center, temperature }) =>
    tf.tidy(() => tf.softmax(tf.div<tf.Tensor3D>(tf.sub(teacher, center), temperature)));
}

export interface SinkhornOptions {
  /** Each makes the prototypes equally used, then the pictures' rows sum to 1. */
  readonly iterations?: number;
}

/**
 * Sinkhorn-Knopp, the assignment of SwAV (Caron et al. 2020): probabilities that use all
 * prototypes about equally often within the batch. The views of a batch are balanced together, as
 * DINOv2 does; SwAV balances each view on its own. Needs no centre.
 */
export function sinkhorn({ iterations = 3 }: SinkhornOptions = {}): TargetTransform {
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new RangeError(`iterations: expected an integer of at least 1, got ${iterations}`);
  }
  return (teacher, { temperature }) =>
    tf.tidy(() => {
      const [globals, batch, prototypes] = teacher.shape;
      // In logarithms: no prototype's share can underflow to nothing, which would divide by zero.
      let log = tf.reshape(tf.div(teacher, temperature), [globals * batch, prototypes]);
      for (let i = 0; i < iterations; i++) {
        log = tf.sub(log, tf.logSumExp(log, 0, true));
        log = tf.sub(log, tf.logSumExp(log, 1, true));
      }
      return tf.reshape(tf.exp(log), teacher.shape);
    });
}

/**
 * Softmax over the batch, then every picture's row divided by its sum: one iteration of
 * Sinkhorn-Knopp, the paper's "softmax over the batch".
 */
export function batchSoftmax(): TargetTransform {
  return sinkhorn({ iterations: 1 });
}
