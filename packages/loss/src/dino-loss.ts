import { assertShape, dinoCrossEntropy, ema, entropy } from "@dino/ops";
import * as tf from "@tensorflow/tfjs-core";
import { centerSharpen, type TargetTransform } from "./target-transforms.ts";

export interface DinoLossOptions {
  /** Width of the projection head. */
  readonly prototypes: number;
  readonly studentTemperature?: number;
  /** How much of the centre stays at each update, from 0 to 1. */
  readonly centerMomentum?: number;
  /** How the teacher's logits become targets: centring and sharpening, unless given. */
  readonly target?: TargetTransform;
}

/** Everything the loss remembers between steps. Save it with the checkpoint. */
export type DinoLossState = {
  /** Running mean of the teacher's logits, `[prototypes]`. */
  readonly center: tf.Tensor1D;
};

export interface TeacherInputs {
  /** Teacher logits of the global crops: `[globals, batch, prototypes]`. */
  readonly teacher: tf.Tensor3D;
  /** Above 0 and below the student's. */
  readonly teacherTemperature: number;
}

export interface DinoLossInputs extends TeacherInputs {
  /** Student logits of every crop, global crops first: `[crops, batch, prototypes]`. */
  readonly student: tf.Tensor3D;
}

/** The cross-entropy is the sum of the two. */
export interface DinoLossDiagnosis {
  /**
   * Mean entropy of the targets in nats: near 0 they are one-hot and lack centring, near
   * ln(prototypes) they are uniform and lack sharpening.
   */
  readonly targetEntropy: tf.Scalar;
  /** Kullback-Leibler divergence of student from targets in nats, mean over the pairs; near 0 is collapse. */
  readonly divergence: tf.Scalar;
}

/**
 * Self-distillation with no labels (Caron et al. 2021, https://arxiv.org/abs/2104.14294).
 *
 * Every teacher's view supervises every student's view but itself: crop i of the teacher is crop
 * i of the student. All pairs weigh the same.
 */
export interface DinoLoss {
  init(): DinoLossState;
  /** Mean cross-entropy over all pairs of views. Gradients reach `student` alone. */
  apply(state: DinoLossState, inputs: DinoLossInputs): tf.Scalar;
  /** The state after seeing `teacher`, `[globals, batch, prototypes]`. Consumes the old one. */
  update(state: DinoLossState, teacher: tf.Tensor3D): DinoLossState;
  /** Why the loss is what it is, for the same inputs. No gradient. */
  diagnose(state: DinoLossState, inputs: DinoLossInputs): DinoLossDiagnosis;
  /**
   * The first half of `apply`: what the student is to match, `[globals, batch, prototypes]`. Made
   * once for a whole batch, the targets let the batch go through the student in parts.
   */
  targets(state: DinoLossState, inputs: TeacherInputs): tf.Tensor3D;
  /** The second half: of `student` `[crops, batch, prototypes]`, or of a part with its part of the targets. */
  applyTargets(student: tf.Tensor3D, targets: tf.Tensor3D): tf.Scalar;
}

export function dinoLoss({
  prototypes,
  studentTemperature = 0.1,
  centerMomentum = 0.9,
  target = centerSharpen(),
}: DinoLossOptions): DinoLoss {
  assertRange(
    "prototypes",
    prototypes,
    "a positive integer",
    prototypes >= 1 && prototypes % 1 === 0,
  );
  assertRange("studentTemperature", studentTemperature, "above 0", studentTemperature > 0);
  const kept = centerMomentum >= 0 && centerMomentum <= 1;
  assertRange("centerMomentum", centerMomentum, "from 0 to 1", kept);

  const targets: DinoLoss["targets"] = ({ center }, { teacher, teacherTemperature }) => {
    assertShape("teacher", teacher, [null, null, prototypes]);
    assertShape("center", center, [prototypes]);
    const sharpens = teacherTemperature > 0 && teacherTemperature < studentTemperature;
    const between = `above 0 and below the student's ${studentTemperature}`;
    assertRange("teacherTemperature", teacherTemperature, between, sharpens);
    return target(teacher, { center, temperature: teacherTemperature });
  };

  const applyTargets: DinoLoss["applyTargets"] = (student, targets) => {
    assertShape("student", student, [null, null, prototypes]);
    assertShape("targets", targets, [null, student.shape[1], prototypes]);
    return tf.tidy(() => dinoCrossEntropy(student, targets, { temperature: studentTemperature }));
  };

  return {
    init: () => ({ center: tf.zeros([prototypes]) }),

    apply: (state, { student, ...inputs }) =>
      tf.tidy(() => {
        assertShape("student", student, [null, null, prototypes]);
        assertShape("teacher", inputs.teacher, [null, student.shape[1], prototypes]);
        return constantIn(inputs.teacher, applyTargets(student, targets(state, inputs)));
      }),

    update: (state, teacher) => {
      assertShape("teacher", teacher, [null, null, prototypes]);
      const center = tf.tidy(() =>
        ema(state.center, meanRow(teacher), { momentum: centerMomentum }),
      );
      return { center };
    },

    diagnose: (state, { student, ...inputs }) =>
      tf.tidy(() => {
        const wanted = targets(state, inputs);
        const targetEntropy = entropy(wanted);
        // Every target meets the same number of crops, so the mean over pairs splits exactly.
        const divergence = tf.sub<tf.Scalar>(applyTargets(student, wanted), targetEntropy);
        return { targetEntropy, divergence };
      }),

    targets,
    applyTargets,
  };
}

/** The mean over views and pictures, `[globals, batch, prototypes]` to `[prototypes]`. */
function meanRow(teacher: tf.Tensor3D): tf.Tensor1D {
  const [globals, batch, prototypes] = teacher.shape;
  const rows = globals * batch;
  // As a product: quick on every backend, which a sum over the first axis is not.
  const shares = tf.fill<tf.Rank.R2>([1, rows], 1 / rows);
  return tf.reshape(tf.matMul(shares, tf.reshape(teacher, [rows, prototypes])), [prototypes]);
}

/** `value`, in which `x` has a gradient of zero: tf.grads refuses an input that has none. */
function constantIn(x: tf.Tensor3D, value: tf.Scalar): tf.Scalar {
  const { shape } = x;
  const constant = tf.customGrad((value) => ({
    value: tf.clone(value as tf.Tensor),
    gradFunc: (dy) => [dy, tf.zeros(shape)],
  }));
  return constant(value, x) as tf.Scalar;
}

function assertRange(name: string, value: number, expected: string, holds: boolean): void {
  if (!holds) throw new RangeError(`${name}: expected ${expected}, got ${value}`);
}
