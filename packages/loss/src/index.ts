export {
  type DinoLoss,
  type DinoLossDiagnosis,
  type DinoLossInputs,
  type DinoLossOptions,
  type DinoLossState,
  dinoLoss,
  type TeacherInputs,
} from "./dino-loss.ts";
export {
  batchSoftmax,
  centerSharpen,
  type SinkhornOptions,
  sinkhorn,
  type TargetContext,
  type TargetTransform,
} from "./target-transforms.ts";
