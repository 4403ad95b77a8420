export { openCheckpoint } from "./node/open-checkpoint.ts";
export { writePytorch } from "./node/write-pytorch.ts";
export { writeSafetensors } from "./node/write-safetensors.ts";
