/// <reference types="node" />
export { canonicalJson, type Json } from "./run-directory/canonical-json.ts";
export { makeFolder, UnwritableError } from "./run-directory/make-folder.ts";
export {
  type CheckpointFiles,
  type RunDirectory,
  type RunDirectoryOptions,
  runDirectory,
  type SavedCheckpoint,
} from "./run-directory/run-directory.ts";
