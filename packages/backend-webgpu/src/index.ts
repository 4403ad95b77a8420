export { type CallCounts, countCalls } from "./count-calls.ts";
export { registerWebgpuBackend, stockBackendName, type WebgpuBackendOptions } from "./register.ts";
export type { Precision } from "./webgpu-backend.ts";
