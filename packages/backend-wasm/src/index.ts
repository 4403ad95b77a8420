export { installKernels } from "./install-kernels.ts";
export { hostInstructions, type Instructions } from "./load-kernels.ts";
