import { type NamedWeights, type NameMap, nameMaps } from "@dino/checkpoint";
import { type Architecture, isResnet } from "../model/architecture.ts";
import { huggingFaceConfig, huggingFaceResnetConfig } from "./hugging-face-config.ts";
import { preprocessorConfig } from "./preprocessing.ts";
import { timmConfig, timmResnetConfig } from "./timm-config.ts";

/** What makes a folder of weights another program's: the files beside them, and its names. */
export interface FolderForm {
  /** JSON by the file's name. */
  readonly texts: Readonly<Record<string, object>>;
  readonly naming: NameMap;
}

/** The form of transformers (`hf`) or timm. */
export function folderForm(
  format: "hf" | "timm",
  architecture: Architecture,
  weights: NamedWeights,
): FolderForm {
  const isTimm = format === "timm";
  const form = (config: object, naming: NameMap): FolderForm => {
    const preprocessor = { "preprocessor_config.json": preprocessorConfig(architecture) };
    return { texts: { "config.json": config, ...(isTimm ? {} : preprocessor) }, naming };
  };
  if (isResnet(architecture)) {
    const dtype = weights.tensors.get("conv1.weight")?.dtype ?? "F32";
    return isTimm
      ? form(timmResnetConfig(architecture), nameMaps.torchvision)
      : form(huggingFaceResnetConfig(architecture, dtype), nameMaps.huggingFaceResnet);
  }
  const { shape = [], dtype = "F32" } = weights.tensors.get("blocks.0.mlp.fc1.weight") ?? {};
  const hidden = shape[0] as number;
  return isTimm
    ? form(timmConfig(architecture, hidden), nameMaps.timm)
    : form(huggingFaceConfig(architecture, { hidden, dtype }), nameMaps.huggingFaceVit);
}
