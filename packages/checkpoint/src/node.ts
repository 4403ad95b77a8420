export type { Downloaded, DownloadOptions, DownloadProgress } from "./node/hub/download.ts";
export type { HubPlaces } from "./node/hub/hub-address.ts";
export { type HubFile, type HubFileOptions, hubFile } from "./node/hub/hub-file.ts";
export { type HubModel, hubModels } from "./node/hub/hub-models.ts";
export { openCheckpoint } from "./node/open-checkpoint.ts";
export { writePytorch } from "./node/write-pytorch.ts";
export { writeSafetensors } from "./node/write-safetensors.ts";
