import { usualHeadWidth, type VitArchitecture, vitOfShapes, vitSizes } from "@dino/backbones/vit";
import type { NamedWeights } from "@dino/checkpoint";
import { RunError, UsageError } from "../errors.ts";
import type { Settings } from "../settings/settings.ts";

/** The one that a run's settings ask for. */
export function vitOfSettings(
  settings: Pick<
    Settings,
    "arch" | "embedDim" | "depth" | "numHeads" | "patchSize" | "globalCropsSize"
  >,
): VitArchitecture {
  const size = settings.arch.replace(/^(vit|deit)_/, "") as keyof typeof vitSizes;
  const published = vitSizes[size];
  const embedDim = settings.embedDim ?? published.embedDim;
  const heads = settings.numHeads ?? published.heads;
  if (embedDim % heads !== 0) {
    throw new UsageError(
      `--num-heads: expected a divisor of the width of ${embedDim} (--embed-dim), got ${heads}`,
    );
  }
  return {
    embedDim,
    depth: settings.depth ?? published.depth,
    heads,
    patchSize: settings.patchSize,
    imageSize: settings.globalCropsSize,
  };
}

/** The one that a backbone's tensors show; their shapes do not tell the heads. */
export function vitOfTensors(
  { name, tensors }: NamedWeights,
  numHeads: number | undefined,
): VitArchitecture {
  const shown = vitOfShapes(tensors);
  if (shown === undefined) {
    throw new RunError(
      `${name}: expected a Vision Transformer's weights (patch_embed.proj.weight, pos_embed) or a ResNet's (layer1.0.conv1.weight), got ${kindOf(tensors)}`,
    );
  }
  const { embedDim } = shown;
  const heads = numHeads ?? embedDim / usualHeadWidth;
  if (embedDim % heads !== 0 || !Number.isInteger(heads)) {
    throw new UsageError(
      `--num-heads: expected the number of heads of ${name}, a divisor of its width of ${embedDim}, got ${numHeads ?? "none"}`,
    );
  }
  return { ...shown, heads };
}

function kindOf(tensors: NamedWeights["tensors"]): string {
  const isXcit = tensors.has("pos_embeder.token_projection.weight");
  return isXcit ? "an XCiT's, which is announced and not here yet" : `${tensors.size} others`;
}
