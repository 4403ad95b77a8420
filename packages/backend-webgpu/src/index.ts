export { registerWebgpuBackend, stockBackendName } from "./register.ts";
