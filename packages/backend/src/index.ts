export { type ActiveBackend, activeBackend } from "./active-backend.ts";
export { BackendError } from "./backend-error.ts";
export { describeEngines, type EngineReport } from "./describe-engines.ts";
export type {
  BackendOptions,
  Detection,
  DetectOptions,
  Engine,
  StartOptions,
} from "./engine.ts";
export { lacking, type Precision } from "./precision.ts";
export { registerEngine } from "./registry.ts";
export { startBackend } from "./start-backend.ts";
