export {
  engine,
  fmaPeakGflops,
  type NativeEngine,
  type PeakOptions,
  type Precision,
  setThreads,
} from "./engine.ts";
export { registerNativeBackend } from "./register.ts";
