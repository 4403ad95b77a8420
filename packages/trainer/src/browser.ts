export { type CheckpointBytes, type OriginRun, originRun } from "./origin-run/origin-run.ts";
