import type { VisionTransformer } from "@dino/backbones/vit";
import {
  backboneWeights,
  type Checkpoint,
  type LoadReport,
  loadWeights,
  type NamedWeights,
} from "@dino/checkpoint";
import { openCheckpoint } from "@dino/checkpoint/node";
import type { Params } from "@dino/ops";
import { key, random } from "@dino/random";
import {
  type Architecture,
  architectureIn,
  architectureOfTensors,
  backboneOf,
  type PictureBackbone,
} from "./architecture.ts";
import type { Surroundings } from "./hub-weights.ts";
import { configBeside, type ModelConfig, weightsFile } from "./weights-file.ts";

/** Weights that nobody has read yet. */
export interface OpenWeights {
  readonly file: string;
  /** All that is in the file. */
  readonly checkpoint: Checkpoint;
  /** The backbone in it, under the reference's names. */
  readonly weights: NamedWeights;
  readonly architecture: Architecture;
}

/** A trained backbone. */
export interface Model {
  readonly backbone: PictureBackbone;
  /** Owned by whoever asked for the model. */
  readonly params: Params;
  /** The file that the weights came from. */
  readonly file: string;
  /** What was found where in it. */
  readonly report: LoadReport;
}

/** One whose tokens attend to each other. */
export type VitModel = Model & { readonly backbone: VisionTransformer };

export interface WeightsOptions extends Surroundings {
  /** Which of the two networks of a run. */
  readonly checkpointKey?: "student" | "teacher";
  /** For files whose tensors do not tell. */
  readonly numHeads?: number | undefined;
}

export interface LoadModelOptions extends WeightsOptions {
  /** Begins what the file lacks at random, and ignores what it has too much. */
  readonly allowPartial?: boolean;
}

/** Opens what a path means: a run's folder, a model's, or a file, in any of the formats and namings. */
export async function openWeights(
  path: string,
  { checkpointKey = "teacher", numHeads, ...surroundings }: WeightsOptions = {},
): Promise<OpenWeights> {
  const file = await weightsFile(path, surroundings);
  const checkpoint = await openCheckpoint(file);
  const weights = backboneWeights(checkpoint, { from: checkpointKey });
  const config = configBeside(file);
  noteEps(config, surroundings);
  const architecture =
    architectureIn(checkpoint) ??
    architectureOfTensors(weights, numHeads ?? headsIn(checkpoint) ?? config?.heads);
  return { file, checkpoint, weights, architecture };
}

/** The backbone of a run's folder, of one of its checkpoints, or of a file of weights alone. */
export async function loadModel(
  path: string,
  { checkpointKey = "teacher", allowPartial = false, ...options }: LoadModelOptions = {},
): Promise<Model> {
  const opened = await openWeights(path, { checkpointKey, ...options });
  const { file, checkpoint, architecture } = opened;
  const backbone = backboneOf(architecture);
  let report: LoadReport | undefined;
  const loaded = await loadWeights(backbone, checkpoint, {
    from: checkpointKey,
    allowPartial,
    onReport: (told) => {
      report = told;
    },
  });
  const params = completed(backbone, loaded);
  return { backbone, params, file, report: report as LoadReport };
}

/** With what the file lacked as an untrained model has it, always the same. */
function completed(backbone: PictureBackbone, loaded: Params): Params {
  const names = Object.keys(backbone.parameterShapes);
  if (names.every((name) => loaded[name])) return loaded;
  const begun = backbone.init(random(key(0)));
  for (const name of Object.keys(loaded)) begun[name]?.dispose();
  return { ...begun, ...loaded };
}

/** The reference's models have this in every normalisation; transformers' default is smaller. */
const layerNormEps = 1e-6;

function noteEps(config: ModelConfig | undefined, { screen }: Surroundings): void {
  const { path, layerNormEps: theirs = layerNormEps } = config ?? {};
  if (theirs === layerNormEps) return;
  screen?.note(
    `${path}: layer_norm_eps ${theirs}, computed here with the reference's ${layerNormEps}`,
  );
}

/** The attention heads that the arguments of a PyTorch file tell. */
function headsIn({ data }: Checkpoint): number | undefined {
  const { args } = data;
  if (typeof args !== "object" || args === null || !("num_heads" in args)) return undefined;
  return typeof args.num_heads === "number" ? args.num_heads : undefined;
}
