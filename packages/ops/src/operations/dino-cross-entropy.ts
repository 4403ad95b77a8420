import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "../operation.ts";
import { assertShape, ShapeError } from "../shape.ts";

type Inputs = { readonly student: tf.Tensor3D; readonly targets: tf.Tensor3D };

const operation = differentiable<Inputs, Inputs, { readonly temperature: number }>({
  name: "DinoCrossEntropy",
  forward: ({ student, targets }, { temperature }) => {
    const logProbabilities = tf.logSoftmax(tf.div<tf.Tensor3D>(student, temperature));
    // The sum over all pairs of views at once, less the pairs that look at the same crop.
    const all = tf.sum(tf.mul(tf.sum(targets, 0), tf.sum(logProbabilities, 0)));
    const same = tf.sum(tf.mul(targets, tf.slice(logProbabilities, 0, targets.shape[0])));
    return [tf.div(tf.sub(same, all), terms(student, targets))];
  },
  saved: (inputs) => inputs,
  backward: ({ dy, student, targets }, { temperature }) => {
    const [crops] = student.shape;
    const [globals] = targets.shape;
    const probabilities = tf.softmax(tf.div<tf.Tensor3D>(student, temperature));
    // What each crop is to match: the sum of the other views' targets.
    const sum = tf.sum<tf.Tensor3D>(targets, 0, true);
    const others = tf.sub<tf.Tensor3D>(sum, targets);
    const rest = crops - globals;
    const wanted = rest > 0 ? tf.concat([others, tf.tile(sum, [rest, 1, 1])]) : others;
    const mass = tf.sum(wanted, 2, true);
    const gradient = tf.sub(tf.mul(probabilities, mass), wanted);
    return [tf.mul(gradient, tf.div(dy, temperature * terms(student, targets)))];
  },
});

/** The pairs of different views, times the batch. */
function terms(student: tf.Tensor3D, targets: tf.Tensor3D): number {
  const [crops, batch] = student.shape;
  return targets.shape[0] * (crops - 1) * batch;
}

/**
 * The cross-entropy of DINO (Caron et al. 2021, equation 3): every teacher's view supervises
 * every student's view but itself. `student` holds logits `[crops, batch, prototypes]`, global
 * crops first, `targets` probabilities `[globals, batch, prototypes]`; the mean over pairs and
 * batch. Gradients reach `student` alone.
 */
export function dinoCrossEntropy(
  student: tf.Tensor3D,
  targets: tf.Tensor3D,
  { temperature }: { readonly temperature: number },
): tf.Scalar {
  const [crops, batch, prototypes] = student.shape;
  assertShape("targets", targets, [null, batch, prototypes]);
  const [globals] = targets.shape;
  if (crops < 2 || crops < globals) {
    throw new ShapeError(`student: expected at least ${Math.max(2, globals)} crops, got ${crops}`);
  }
  return operation({ student }, { temperature }, { targets }) as tf.Scalar;
}
