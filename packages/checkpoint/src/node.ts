export { openCheckpoint } from "./node/open-checkpoint.ts";
export { writeSafetensors } from "./node/write-safetensors.ts";
