export type { BlobLike, ByteSource } from "./byte-source.ts";
export type { Checkpoint, TensorInfo } from "./checkpoint.ts";
export { CheckpointError } from "./checkpoint-error.ts";
export type { Dtype, TensorArray, TensorData } from "./dtype.ts";
export {
  type Entries,
  encodeSafetensors,
  type Metadata,
  streamSafetensors,
} from "./encode-safetensors.ts";
export { type LoadWeightsOptions, loadWeights, type Parametric } from "./load-weights.ts";
export { decodeNpy, encodeNpy, type NpyArray } from "./npy.ts";
export { openSafetensors } from "./open-safetensors.ts";
