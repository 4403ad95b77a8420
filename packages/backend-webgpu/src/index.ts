export { registerWebgpuBackend } from "./register.ts";
