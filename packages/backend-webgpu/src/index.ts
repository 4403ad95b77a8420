export { type CallCounts, countCalls } from "./count-calls.ts";
export { registerWebgpuBackend, stockBackendName } from "./register.ts";
