export { type Installed, type InstallOptions, installKernels } from "./install-kernels.ts";
export { hostInstructions, type Instructions } from "./load-kernels.ts";
export { hostThreads, type Threads } from "./threads/host-threads.ts";
export { withSharedMemory } from "./with-shared-memory.ts";
