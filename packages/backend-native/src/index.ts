export { engine, type NativeEngine, setThreads } from "./engine.ts";
export { registerNativeBackend } from "./register.ts";
