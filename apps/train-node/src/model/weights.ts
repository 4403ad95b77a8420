import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { VisionTransformer } from "@dino/backbones/vit";
import { type Checkpoint, loadWeights } from "@dino/checkpoint";
import { openCheckpoint } from "@dino/checkpoint/node";
import type { Params } from "@dino/ops";
import { RunError } from "../errors.ts";
import { readRunSettings } from "../run/run-settings.ts";
import {
  type Architecture,
  architectureKey,
  architectureOf,
  architectureOfTensors,
  backboneOf,
  parseArchitecture,
} from "./architecture.ts";

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
  const architecture = await findArchitecture(path, checkpoint, numHeads);
  const backbone = backboneOf(architecture);
  const params = await loadWeights(backbone, checkpoint, { from: checkpointKey });
  return { backbone, params, file };
}

/** The file that a path means: itself, or the last state of the run in it. */
export function weightsFile(path: string): string {
  if (!existsSync(path)) throw new RunError(`${path}: expected a run or a file of weights, got nothing`);
  if (!statSync(path).isDirectory()) return path;
  const last = join(path, "checkpoints", "last.safetensors");
  if (existsSync(last)) return last;
  throw new RunError(`${path}: expected a run with checkpoints/last.safetensors in it, got none`);
}

async function findArchitecture(
  path: string,
  checkpoint: Checkpoint,
  numHeads: number | undefined,
): Promise<Architecture> {
  const told = parseArchitecture(checkpoint.metadata[architectureKey]);
  if (told) return told;
  if (statSync(path).isDirectory()) return architectureOf(await readRunSettings(path));
  return architectureOfTensors(checkpoint, numHeads ?? headsOfRun(checkpoint));
}

/** A run's checkpoint knows its settings. */
function headsOfRun({ metadata }: Checkpoint): number | undefined {
  if (metadata.settings === undefined) return undefined;
  try {
    const settings = JSON.parse(metadata.settings) as Readonly<Record<string, unknown>>;
    if (typeof settings["num-heads"] === "number") return settings["num-heads"];
    const { heads } = architectureOf({
      arch: settings.arch as "vit_tiny",
      embedDim: undefined,
      depth: undefined,
      numHeads: undefined,
      patchSize: 1,
      globalCropsSize: 1,
    });
    return heads;
  } catch {
    return undefined;
  }
}
