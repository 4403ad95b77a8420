export type { BlobLike, ByteSource } from "./byte-source.ts";
export type { Checkpoint, PlainData, TensorInfo } from "./checkpoint.ts";
export { CheckpointError } from "./checkpoint-error.ts";
export type { Dtype, TensorArray, TensorData } from "./dtype.ts";
export {
  type Entries,
  encodeSafetensors,
  type Metadata,
  streamSafetensors,
  type Writable,
} from "./encode-safetensors.ts";
export { type HttpSourceOptions, httpSource } from "./http-source.ts";
export type { LoadReport } from "./load-report.ts";
export { type LoadWeightsOptions, loadWeights } from "./load-weights.ts";
export { type MatchOptions, type Parametric, selectWeights } from "./match-weights.ts";
export { type BackboneWeightsOptions, backboneWeights } from "./names/backbone-weights.ts";
export type { NameMap, NameRule } from "./names/name-map.ts";
export { type NamingKey, nameMaps } from "./names/name-maps.ts";
export type { NamedWeights } from "./names/named-weights.ts";
export { renameWeights } from "./names/rename-weights.ts";
export { decodeNpy, encodeNpy, type NpyArray } from "./npy.ts";
export { openCheckpoint } from "./open-checkpoint.ts";
export { openSafetensors } from "./open-safetensors.ts";
export { isNumpyArray, numpyGlobals } from "./pickle/numpy-globals.ts";
export type { PickleContext, PickleGlobal, PickleGlobals } from "./pickle/pickle-global.ts";
export { pythonGlobals } from "./pickle/python-globals.ts";
export { type PickleLimits, type ReadPickleOptions, readPickle } from "./pickle/read-pickle.ts";
export { openPytorch } from "./pytorch/open-pytorch.ts";
export { type StoredTensor, storedTensors } from "./stored-tensor.ts";
export { type Saveable, streamPytorch } from "./torch-save/stream-pytorch.ts";
