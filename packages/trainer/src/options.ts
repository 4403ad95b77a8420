import type { Network } from "@dino/backbones";
import type { Params } from "@dino/ops";
import type { Random } from "@dino/random";
import type { Schedule } from "@dino/schedulers";
import type * as tf from "@tensorflow/tfjs-core";
import type { Tree } from "./state.ts";
import type { TeacherUpdate } from "./teacher-update.ts";

/**
 * What the trainer asks of a loss; `dinoLoss` is one. The targets of a whole batch are made at
 * once, so that a batch in parts has the same targets as in one piece.
 */
export interface Criterion<State extends Tree = Tree> {
  init(): State;
  /** The teacher's logits `[globals, batch, prototypes]` as what the student is to match. */
  targets(
    state: State,
    inputs: { readonly teacher: tf.Tensor3D; readonly teacherTemperature: number },
  ): tf.Tensor3D;
  /** Differentiable in `student`, `[crops, batch, prototypes]`: a mean over the batch. */
  applyTargets(student: tf.Tensor3D, targets: tf.Tensor3D): tf.Scalar;
  /** The state after the step. Consumes the old one. */
  update(state: State, teacher: tf.Tensor3D): State;
}

/** What the trainer asks of an optimizer; `adamW`, `sgd` and `lars` are. */
export interface Optimizer<State extends Tree = Tree> {
  init(params: Params): State;
  /** Consumes everything. A parameter without a gradient stays as it is. */
  update(
    params: Params,
    gradients: Params,
    state: State,
    at: { readonly learningRate: number; readonly weightDecay: number },
  ): { readonly params: Params; readonly state: State };
  /**
   * Clipping, `update` and the teacher's moving average at once, where the optimizer can: with the
   * results of one after the other. Consumes everything, `averages.params` too.
   */
  readonly updateInOnePass?: (
    params: Params,
    gradients: Params,
    state: State,
    at: {
      readonly learningRate: number;
      readonly weightDecay: number;
      /** Each tensor's gradient is shortened to this norm; absent where they are not. */
      readonly clipNorm?: number;
      /** Moving averages of some parameters, by their names. */
      readonly averages?: { readonly params: Params; readonly momentum: number };
    },
  ) => { readonly params: Params; readonly state: State; readonly averages: Params };
}

/** A module on top of the student's head that the teacher lacks, as in BYOL. */
export interface Predictor {
  readonly parameterShapes: Readonly<Record<string, readonly number[]>>;
  init(random: Random): Params;
  /** `[rows, prototypes]` to the same shape. */
  forward(params: Params, logits: tf.Tensor2D): tf.Tensor2D;
}

export interface TrainerOptions<LossState extends Tree = Tree, OptimizerState extends Tree = Tree> {
  readonly network: Network;
  readonly loss: Criterion<LossState>;
  readonly optimizer: Optimizer<OptimizerState>;
  readonly teacher: TeacherUpdate;
  readonly learningRate: Schedule;
  readonly weightDecay: Schedule;
  readonly teacherTemperature: Schedule;
  /** Each tensor's gradient is shortened to this norm; 0 leaves them as they are. */
  readonly clipNorm?: number;
  /** Steps in which the head's last layer gets no gradient. */
  readonly freezeLastLayer?: number;
  readonly predictor?: Predictor;
  /** Views that the teacher sees: the first crops of the first size. */
  readonly globals?: number;
  readonly seed: number;
  /** Pictures differentiated at once; their gradients add up to the batch's. */
  readonly microBatch?: number;
  /** What the backend may hold: without `microBatch`, a batch is cut into parts that fit. */
  readonly memoryBytes?: number;
}
