import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { VisionTransformer } from "@dino/backbones/vit";
import { loadWeights } from "@dino/checkpoint";
import { openCheckpoint } from "@dino/checkpoint/node";
import type { Params } from "@dino/ops";
import { RunError } from "../errors.ts";
import { architectureIn, architectureOfTensors, backboneOf } from "./architecture.ts";

/** A trained backbone. */
export interface Model {
  readonly backbone: VisionTransformer;
  /** Owned by whoever asked for the model. */
  readonly params: Params;
  /** The file that the weights came from. */
  readonly file: string;
}

export interface WeightsOptions {
  /** Which of the two networks of a run. */
  readonly checkpointKey?: "student" | "teacher";
  /** For files whose tensors do not tell. */
  readonly numHeads?: number | undefined;
}

/** The backbone of a run's folder, of one of its checkpoints, or of a file of weights alone. */
export async function loadModel(
  path: string,
  { checkpointKey = "teacher", numHeads }: WeightsOptions = {},
): Promise<Model> {
  const file = weightsFile(path);
  const checkpoint = await openCheckpoint(file);
  const architecture = architectureIn(checkpoint) ?? architectureOfTensors(checkpoint, numHeads);
  const backbone = backboneOf(architecture);
  const params = await loadWeights(backbone, checkpoint, { from: checkpointKey });
  return { backbone, params, file };
}

/** The file that a path means: itself, or the last state of the run in it. */
export function weightsFile(path: string): string {
  if (!existsSync(path))
    throw new RunError(`${path}: expected a run or a file of weights, got nothing`);
  if (!statSync(path).isDirectory()) return path;
  const last = join(path, "checkpoints", "last.safetensors");
  if (existsSync(last)) return last;
  throw new RunError(`${path}: expected a run with checkpoints/last.safetensors in it, got none`);
}
