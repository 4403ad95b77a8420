import type { Backbone } from "@dino/backbones";
import { resnet } from "@dino/backbones/resnet";
import { type VisionTransformer, type VitArchitecture, vit, vitOfData } from "@dino/backbones/vit";
import type { Checkpoint, NamedWeights } from "@dino/checkpoint";
import { RunError } from "../errors.ts";
import type { Settings } from "../settings/settings.ts";
import {
  isResnetName,
  type ResnetArchitecture,
  resnetIn,
  resnetOfTensors,
} from "./resnet-architecture.ts";
import { vitOfSettings, vitOfTensors } from "./vit-architecture.ts";

/** What a backbone is built from. */
export type Architecture = VitArchitecture | ResnetArchitecture;

/** A backbone, and the pictures that it is for. */
export interface PictureBackbone extends Backbone {
  /** Side of the pictures that it was trained on. */
  readonly imageSize: number;
  /** Pictures' sides should be multiples of it. */
  readonly patchSize: number;
}

/** Whether it is a ResNet's. */
export function isResnet(architecture: Architecture): architecture is ResnetArchitecture {
  return "resnet" in architecture;
}

/** The architecture that a run's settings ask for. */
export function architectureOf(
  settings: Pick<
    Settings,
    "arch" | "embedDim" | "depth" | "numHeads" | "patchSize" | "globalCropsSize"
  >,
): Architecture {
  const { arch, globalCropsSize } = settings;
  if (isResnetName(arch)) return { resnet: arch, imageSize: globalCropsSize };
  return vitOfSettings(settings);
}

export function backboneOf(architecture: VitArchitecture, dropPath?: number): VisionTransformer;
export function backboneOf(architecture: Architecture, dropPath?: number): PictureBackbone;
export function backboneOf(architecture: Architecture, dropPath = 0): PictureBackbone {
  if (!isResnet(architecture)) return vit({ ...architecture, dropPath });
  // Its convolutions take pictures of any sides.
  return { ...resnet(architecture.resnet), imageSize: architecture.imageSize, patchSize: 1 };
}

/** The backbone itself if its tokens attend to each other, else an error that says what it is. */
export function asVisionTransformer(backbone: PictureBackbone, file: string): VisionTransformer {
  if ("selfAttention" in backbone) return backbone as VisionTransformer;
  throw new RunError(
    `${file}: expected a Vision Transformer, got ${backbone.name}: a ResNet has no attention and no tokens`,
  );
}

/** The architecture that a backbone's tensors show; of a Vision Transformer they do not tell the heads, which are 64 wide in all published models. */
export function architectureOfTensors(
  weights: NamedWeights,
  numHeads: number | undefined,
): Architecture {
  return resnetOfTensors(weights) ?? vitOfTensors(weights, numHeads);
}

/** In a few words. */
export function describeBackbone(backbone: PictureBackbone): string {
  const { name, embedDim, patchSize } = backbone;
  if (!("selfAttention" in backbone)) return `${name}, width ${embedDim}`;
  const { depth, heads } = backbone as VisionTransformer;
  return `width ${embedDim}, depth ${depth}, heads ${heads}, patch ${patchSize}`;
}

/** Under this name a file's metadata, or the settings in it, hold the architecture. */
export const architectureKey = "architecture";

/** The architecture that a file's metadata tells: a run's state does, and an exported backbone. */
export function architectureIn({
  metadata,
}: Pick<Checkpoint, "metadata">): Architecture | undefined {
  const settings = parsed(metadata.settings) as Readonly<Record<string, unknown>> | undefined;
  const value = parsed(metadata[architectureKey]) ?? settings?.[architectureKey];
  if (typeof value !== "object" || value === null) return undefined;
  return resnetIn(value) ?? vitOfData(value);
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
