import type { Crops, Network } from "@dino/backbones";
import { type Params, valueAndGradients, within } from "@dino/ops";
import { clipGradients, gradientNorm as norm } from "@dino/optimizers";
import { fold, type Key } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import { cropsOf, type Part, parts, targetsOf } from "./micro-batch.ts";
import type { Criterion, Optimizer, Predictor } from "./options.ts";
import type { TrainerState } from "./state.ts";
import type { TeacherUpdate } from "./teacher-update.ts";

/** The parts of a step, and its settings: what does not change from step to step. */
export interface StepParts {
  readonly network: Network;
  readonly loss: Criterion;
  readonly optimizer: Optimizer;
  readonly teacher: TeacherUpdate;
  readonly predictor: Predictor | undefined;
  readonly globals: number;
  readonly clipNorm: number;
  /** Seeds stochastic depth. */
  readonly key: Key;
}

/** The settings at this step. */
export interface StepSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly teacherTemperature: number;
  readonly lastLayerFrozen: boolean;
  readonly microBatch: number;
}

/** What one step leaves behind. The scalars are not read back. */
export interface StepResult {
  readonly state: TrainerState;
  readonly loss: tf.Scalar;
  readonly gradientNorm: tf.Scalar;
  /** What the student was to match, `[globals, batch, prototypes]`. */
  readonly targets: tf.Tensor3D;
}

/** One training step of DINO (Caron et al. 2021, algorithm 1). Consumes `state` and `crops`. */
export function step(
  dino: StepParts,
  state: TrainerState,
  crops: Crops,
  settings: StepSettings,
): StepResult {
  const { network, loss, teacher, globals } = dino;
  const batch = (crops[0]?.shape[0] as number) / globals;

  const seen = teach(network, state.teacher, crops, globals);
  const targets = loss.targets(state.loss, {
    teacher: seen.logits,
    teacherTemperature: settings.teacherTemperature,
  });
  const lossState = loss.update(state.loss, seen.logits);
  tf.dispose(seen.logits);

  const trained = trainedParams(network, state.student);
  const learned = learn(dino, trained, state, crops, targets, parts(batch, settings.microBatch));
  tf.dispose([...crops]);

  const gradientNorm = norm(learned.gradients);
  const gradients = withoutLastLayer(learned.gradients, settings.lastLayerFrozen);

  const previous = teacher.readsPrevious ? cloned(trained) : {};
  const updated = optimize(dino, trained, gradients, state, settings);
  const { averages } = updated;
  const student = { ...state.student, ...updated.params, ...learned.buffers };
  const rest = teacher.update({
    teacher: filtered(teacherParams(network, state.teacher), (name) => !(name in averages)),
    student,
    previous: { ...student, ...previous },
    step: state.step,
  });
  tf.dispose(previous);

  return {
    state: {
      step: state.step + 1,
      student,
      teacher: { ...state.teacher, ...averages, ...rest, ...seen.buffers },
      optimizer: updated.state,
      loss: lossState,
    },
    loss: learned.value,
    gradientNorm,
    targets,
  };
}

/** Clipping and the optimizer's step; the teacher's averages with it, where one pass does it all. */
function optimize(
  { network, optimizer, teacher, clipNorm }: StepParts,
  trained: Params,
  gradients: Params,
  state: TrainerState,
  { learningRate, weightDecay }: StepSettings,
): ReturnType<NonNullable<Optimizer["updateInOnePass"]>> {
  const at = { learningRate, weightDecay };
  if (optimizer.updateInOnePass === undefined) {
    const clipped = clipNorm > 0 ? clipGradients(gradients, { maximum: clipNorm }) : gradients;
    return { ...optimizer.update(trained, clipped, state.optimizer, at), averages: {} };
  }
  const params = filtered(teacherParams(network, state.teacher), (name) => name in trained);
  const averages = { params, momentum: teacher.momentum(state.step) };
  return optimizer.updateInOnePass(trained, gradients, state.optimizer, {
    ...at,
    ...(clipNorm > 0 && { clipNorm }),
    ...(teacher.isMovingAverage && { averages }),
  });
}

/** The teacher's logits of the global crops, `[globals, batch, prototypes]`, and its statistics. */
function teach(network: Network, teacher: Params, crops: Crops, globals: number) {
  const buffers = bufferUpdates(teacher);
  const logits = tf.tidy(() => {
    const rows = network.forward(teacher, crops.slice(0, 1), { onBuffers: buffers.take });
    return tf.reshape(rows, [globals, -1, network.head.prototypes]) as tf.Tensor3D;
  });
  return { logits, buffers: buffers.replace() };
}

/** The loss over the whole batch and its gradients, part by part. */
function learn(
  { network, loss, predictor, key }: StepParts,
  trained: Params,
  state: TrainerState,
  crops: Crops,
  targets: tf.Tensor3D,
  pieces: readonly Part[],
) {
  const batch = targets.shape[1];
  const buffers = bufferUpdates(state.student);
  const mode = { key: fold(key, state.step), onBuffers: buffers.take };
  let sum: { value: tf.Scalar; gradients: Params } | undefined;
  for (const piece of pieces) {
    const some = crops.map((group) => cropsOf(group, batch, piece));
    const wanted = targetsOf(targets, piece);
    const result = valueAndGradients(trained, (params) => {
      const all = { ...state.student, ...buffers.latest(), ...params };
      const rows = network.forward(all, some, { ...mode, part: { ...piece, batch } });
      const logits = predictor ? predictor.forward(within(all, "predictor."), rows) : rows;
      const student = tf.reshape(logits, [-1, piece.count, network.head.prototypes]) as tf.Tensor3D;
      return tf.mul<tf.Scalar>(loss.applyTargets(student, wanted), piece.count / batch);
    });
    tf.dispose([some, wanted]);
    sum = sum === undefined ? result : added(sum, result);
  }
  return { ...(sum as { value: tf.Scalar; gradients: Params }), buffers: buffers.replace() };
}

type Result = { readonly value: tf.Scalar; readonly gradients: Params };

/** The sum of two results, which are consumed. */
function added(a: Result, b: Result): Result {
  const gradients = Object.fromEntries(
    Object.entries(a.gradients).map(([name, gradient]) => [
      name,
      tf.add(gradient, b.gradients[name] as tf.Tensor),
    ]),
  );
  const value = tf.add<tf.Scalar>(a.value, b.value);
  tf.dispose([a, b]);
  return { value, gradients };
}

/** Collects running statistics that a forward pass reports, to take the place of the old ones. */
function bufferUpdates(old: Params) {
  const found: Record<string, tf.Tensor> = {};
  return {
    take: (updates: Params) => {
      for (const [name, value] of Object.entries(updates)) {
        found[name]?.dispose();
        found[name] = tf.keep(tf.clone(value));
      }
    },
    /** What was reported so far: the next part of a batch goes on from the last one's. */
    latest: (): Params => found,
    replace: (): Params => {
      for (const name of Object.keys(found)) old[name]?.dispose();
      return found;
    },
  };
}

function trainedParams({ frozen, buffers }: Network, params: Params): Params {
  const fixed = new Set([...frozen, ...buffers]);
  return filtered(params, (name) => !fixed.has(name));
}

/** All that the teacher takes from the student: parameters, trained or not, but no statistics. */
function teacherParams({ buffers }: Network, params: Params): Params {
  return filtered(params, (name) => !buffers.includes(name));
}

function filtered(params: Params, keep: (name: string) => boolean): Params {
  return Object.fromEntries(Object.entries(params).filter(([name]) => keep(name)));
}

/** An absent gradient is not one of zero: the layer is neither decayed nor counted as updated. */
function withoutLastLayer(gradients: Params, frozen: boolean): Params {
  if (!frozen) return gradients;
  const isLast = (name: string) => name.includes("last_layer");
  tf.dispose(filtered(gradients, isLast));
  return filtered(gradients, (name) => !isLast(name));
}

function cloned(params: Params): Params {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, tf.clone(value)]));
}
