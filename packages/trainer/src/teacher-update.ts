import { ema as average, type Params } from "@dino/ops";
import type { Schedule } from "@dino/schedulers";
import * as tf from "@tensorflow/tfjs-core";

export interface TeacherUpdateInputs {
  /** The teacher's parameters; consumed. */
  readonly teacher: Params;
  /** The student's, after its step. */
  readonly student: Params;
  /** The student's, before its step. */
  readonly previous: Params;
  /** The step that just ended, from 0. */
  readonly step: number;
}

/**
 * How the teacher is built from the student's past (Caron et al. 2021, figure 6). Sees
 * parameters alone: running statistics stay each network's own.
 */
export interface TeacherUpdate {
  /** How much of the teacher stays at a step, for the record: 0 where it is a copy. */
  readonly momentum: Schedule;
  /** Whether `previous` is read at a step; it costs a second copy of the student. */
  readonly readsPrevious: boolean;
  /**
   * Set where `update` is `momentum * teacher + (1 - momentum) * student` for each parameter by
   * itself: an optimizer that can do so may then move the teacher along with the student.
   */
  readonly isMovingAverage?: true;
  update(inputs: TeacherUpdateInputs): Params;
}

/** The moving average of the student, DINO's teacher. */
export function ema(momentum: Schedule): TeacherUpdate {
  return {
    momentum,
    readsPrevious: false,
    isMovingAverage: true,
    update: ({ teacher, student, step }) =>
      Object.fromEntries(
        Object.entries(teacher).map(([name, old]) => [
          name,
          average(old, student[name] as tf.Tensor, { momentum: momentum(step) }),
        ]),
      ),
  };
}

/** The student itself, without gradients. Collapses; for comparison. */
export function copy(): TeacherUpdate {
  return {
    momentum: () => 0,
    readsPrevious: false,
    update: ({ teacher, student }) => clonedFrom(student, teacher),
  };
}

/** The student of one step before. Collapses; for comparison. */
export function previousIteration(): TeacherUpdate {
  return {
    momentum: () => 0,
    readsPrevious: true,
    update: ({ teacher, previous }) => clonedFrom(previous, teacher),
  };
}

/** The student as it was at the end of the last epoch: learns, though less than from an average. */
export function previousEpoch({
  stepsPerEpoch,
}: {
  readonly stepsPerEpoch: number;
}): TeacherUpdate {
  const ends = (step: number) => (step + 1) % stepsPerEpoch === 0;
  return {
    momentum: (step) => (ends(step) ? 0 : 1),
    readsPrevious: false,
    update: ({ teacher, student, step }) => (ends(step) ? clonedFrom(student, teacher) : teacher),
  };
}

/** The parameters of `student` in place of the teacher's, which are freed. */
function clonedFrom(student: Params, teacher: Params): Params {
  const entries = Object.keys(teacher).map(
    (name) => [name, tf.clone(student[name] as tf.Tensor)] as const,
  );
  tf.dispose(teacher);
  return Object.fromEntries(entries);
}
