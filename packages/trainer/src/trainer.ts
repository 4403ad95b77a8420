import type { Crops, Network } from "@dino/backbones";
import { entropy, type Params } from "@dino/ops";
import { fold, key, random } from "@dino/random";
import * as tf from "@tensorflow/tfjs-core";
import { fittingMicroBatch } from "./memory.ts";
import { type Metrics, NonFiniteLossError } from "./metrics.ts";
import type { Criterion, Optimizer, TrainerOptions } from "./options.ts";
import { flattenState, type TrainerState, type Tree } from "./state.ts";
import { type StepResult, type StepSettings, step } from "./step.ts";

export interface Trainer {
  readonly network: Network;
  /** Steps done, which is the index of the next one. */
  readonly step: number;
  /** The networks' parameters by name. They belong to the trainer and change at every step. */
  readonly student: Params;
  readonly teacher: Params;
  /**
   * One step: teacher, student, loss, gradients, clipping, optimizer, teacher update. Takes the
   * crops of one batch, one tensor a size, global crops first, and consumes them. Reads nothing
   * back from the device.
   */
  train(crops: Crops): void;
  /** Reads the last step's figures. Throws a `NonFiniteLossError` if its loss is not finite. */
  metrics(): Promise<Metrics>;
  /** Everything to go on from. The tensors are the trainer's own: read them before the next step. */
  state(): TrainerState;
  /** Goes on from a state, whose tensors now belong to the trainer. */
  restore(state: TrainerState): void;
  dispose(): void;
}

// The trainer's places below the seed; data uses 0 and 1.
const initKey = 2;
const predictorKey = 3;
const dropPathKey = 4;

/** Student, teacher and what trains them. */
export function createTrainer<LossState extends Tree, OptimizerState extends Tree>({
  network,
  loss,
  optimizer,
  teacher,
  learningRate,
  weightDecay,
  teacherTemperature,
  clipNorm = 3,
  freezeLastLayer = 0,
  predictor,
  globals = 2,
  seed,
  microBatch,
  memoryBytes,
}: TrainerOptions<LossState, OptimizerState>): Trainer {
  const root = key(seed);
  const parts = {
    network,
    loss: loss as unknown as Criterion,
    optimizer: optimizer as unknown as Optimizer,
    teacher,
    predictor,
    globals,
    clipNorm,
    key: fold(root, dropPathKey),
  };
  const initial = (): TrainerState => {
    const shared = network.init(random(fold(root, initKey)));
    const own = predictor?.init(random(fold(root, predictorKey))) ?? {};
    const student = { ...shared, ...renamed(own, (name) => `predictor.${name}`) };
    return {
      step: 0,
      student,
      teacher: Object.fromEntries(Object.entries(shared).map(([name, x]) => [name, tf.clone(x)])),
      optimizer: optimizer.init(student),
      loss: loss.init(),
    };
  };

  let state = initial();
  let last: (Omit<StepResult, "state"> & { readonly at: StepSettings }) | undefined;
  const forgetLast = () => {
    if (last) tf.dispose([last.loss, last.gradientNorm, last.targets]);
    last = undefined;
  };

  return {
    network,
    get step() {
      return state.step;
    },
    get student() {
      return state.student;
    },
    get teacher() {
      return state.teacher;
    },

    train: (crops) => {
      const batch = assertCrops(crops, globals);
      const at = {
        learningRate: learningRate(state.step),
        weightDecay: weightDecay(state.step),
        teacherTemperature: teacherTemperature(state.step),
        lastLayerFrozen: state.step < freezeLastLayer,
        microBatch: microBatch ?? fittingMicroBatch(network, crops, batch, memoryBytes),
      };
      forgetLast();
      const { state: next, ...rest } = step(parts, state, crops, at);
      state = next;
      last = { ...rest, at };
    },

    metrics: async () => {
      if (last === undefined)
        throw new Error("metrics: expected a step to have been trained, got none");
      const { at, targets } = last;
      const scalars = [last.loss, last.gradientNorm].map((x) => tf.clone(x));
      const mean = entropy(targets);
      const done = state.step;
      const [value, gradientNorm, targetEntropy] = (await Promise.all(
        [...scalars, mean].map(async (x) => (await x.data())[0] as number),
      )) as [number, number, number];
      tf.dispose([...scalars, mean]);
      const metrics = {
        step: done,
        loss: value,
        targetEntropy,
        // The cross-entropy is the targets' entropy and the divergence from them.
        divergence: value - targetEntropy,
        gradientNorm,
        learningRate: at.learningRate,
        weightDecay: at.weightDecay,
        teacherMomentum: teacher.momentum(done - 1),
        teacherTemperature: at.teacherTemperature,
      };
      if (!Number.isFinite(value)) throw new NonFiniteLossError(metrics);
      return metrics;
    },

    state: () => state,

    restore: (saved) => {
      assertNames("student", saved.student, state.student);
      assertNames("teacher", saved.teacher, state.teacher);
      const { optimizer, loss } = state;
      disposeAllBut(saved, state);
      forgetLast();
      // A table that was empty leaves no trace in a flat state.
      state = {
        ...saved,
        optimizer: { ...emptied(optimizer), ...saved.optimizer },
        loss: { ...emptied(loss), ...saved.loss },
      };
    },

    dispose: () => {
      tf.dispose(state);
      forgetLast();
    },
  };
}

/** Frees a state's tensors, save those that are in the one that takes its place. */
function disposeAllBut(kept: TrainerState, state: TrainerState): void {
  const stays = new Set(Object.values(flattenState(kept).tensors));
  tf.dispose(Object.values(flattenState(state).tensors).filter((tensor) => !stays.has(tensor)));
}

function assertCrops(crops: Crops, globals: number): number {
  const rows = crops[0]?.shape[0] ?? 0;
  const batch = rows / globals;
  if (rows === 0 || !Number.isInteger(batch)) {
    throw new Error(
      `crops: expected ${globals} global crops of every picture first, got ${rows} rows`,
    );
  }
  crops.forEach((group, i) => {
    if (group.shape[0] % batch === 0) return;
    throw new Error(
      `crops[${i}]: expected a multiple of ${batch} pictures, got ${group.shape[0]} rows`,
    );
  });
  return batch;
}

function assertNames(what: string, saved: Params, own: Params): void {
  for (const [name, value] of Object.entries(own)) {
    const got = saved[name]?.shape.join(", ");
    if (got !== value.shape.join(", ")) {
      const found = got === undefined ? "none" : `[${got}]`;
      throw new Error(`${what}.${name}: expected shape [${value.shape.join(", ")}], got ${found}`);
    }
  }
  const stranger = Object.keys(saved).find((name) => own[name] === undefined);
  if (stranger) throw new Error(`${what}.${stranger}: expected no such parameter, got one`);
}

function renamed(params: Params, name: (old: string) => string): Params {
  return Object.fromEntries(Object.entries(params).map(([old, value]) => [name(old), value]));
}

/** The tables of a tree, without their entries. */
function emptied(tree: Tree): Tree {
  const tables = Object.entries(tree).filter(
    ([, value]) => typeof value === "object" && !("dataId" in value),
  );
  return Object.fromEntries(tables.map(([name]) => [name, {}]));
}
