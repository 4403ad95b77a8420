export {
  type DeviceLoss,
  DeviceLostError,
  type DeviceWatch,
  watchDevice,
} from "./device-loss.ts";
export type {
  Evaluation,
  EvaluationAt,
  Progress,
  RunStore,
  SavedRun,
  TrainEvent,
} from "./events.ts";
export { bytesPerPicture, fittingMicroBatch } from "./memory.ts";
export { type Metrics, NonFiniteLossError } from "./metrics.ts";
export type { Criterion, Optimizer, Predictor, TrainerOptions } from "./options.ts";
export {
  type FlatState,
  flattenState,
  type TrainerState,
  type Tree,
  unflattenState,
} from "./state.ts";
export { type SurviveDeviceLossOptions, surviveDeviceLoss } from "./survive-device-loss.ts";
export {
  copy,
  ema,
  previousEpoch,
  previousIteration,
  type TeacherUpdate,
  type TeacherUpdateInputs,
} from "./teacher-update.ts";
export {
  type Batches,
  type EvaluationPlan,
  type TrainOptions,
  type TrainResult,
  train,
} from "./train.ts";
export { createTrainer, type Trainer } from "./trainer.ts";
