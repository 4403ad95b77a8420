export { type ActiveBackend, activeBackend } from "./active-backend.ts";
export { BackendError } from "./backend-error.ts";
export { describeEngines, type EngineReport } from "./describe-engines.ts";
export type { Detection, DetectOptions, Engine, StartOptions } from "./engine.ts";
export { registerEngine } from "./registry.ts";
export { startBackend } from "./start-backend.ts";
