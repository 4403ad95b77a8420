import { type VisionTransformer, vit, vitSizes } from "@dino/backbones/vit";
import type { Checkpoint, NamedWeights } from "@dino/checkpoint";
import { RunError, UsageError } from "../errors.ts";
import type { Settings } from "../settings/settings.ts";

/** What a Vision Transformer is built from. */
export interface Architecture {
  readonly embedDim: number;
  readonly depth: number;
  readonly heads: number;
  readonly patchSize: number;
  /** Side of the pictures that its positions were learnt for. */
  readonly imageSize: number;
}

/** The architecture that a run's settings ask for. */
export function architectureOf(
  settings: Pick<
    Settings,
    "arch" | "embedDim" | "depth" | "numHeads" | "patchSize" | "globalCropsSize"
  >,
): Architecture {
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

export function backboneOf(architecture: Architecture, dropPath = 0): VisionTransformer {
  return vit({ ...architecture, dropPath });
}

/** The architecture that a backbone's tensors show; their shapes do not tell the heads, which are 64 wide in all published models. */
export function architectureOfTensors(
  { name, tensors }: NamedWeights,
  numHeads: number | undefined,
): Architecture {
  const [embedDim = 0, channels = 0, patchSize = 0] =
    tensors.get("patch_embed.proj.weight")?.shape ?? [];
  const positions = tensors.get("pos_embed")?.shape[1];
  if (channels !== 3 || positions === undefined) {
    throw new RunError(
      `${name}: expected a Vision Transformer's weights (patch_embed.proj.weight, pos_embed), got ${kindOf(tensors)}`,
    );
  }
  const blocks = new Set(
    [...tensors.keys()].flatMap((key) => /^blocks\.(\d+)\./.exec(key)?.[1] ?? []),
  );
  const heads = numHeads ?? embedDim / 64;
  if (embedDim % heads !== 0 || !Number.isInteger(heads)) {
    throw new UsageError(
      `--num-heads: expected the number of heads of ${name}, a divisor of its width of ${embedDim}, got ${numHeads ?? "none"}`,
    );
  }
  const imageSize = Math.round(Math.sqrt(positions - 1)) * patchSize;
  return { embedDim, depth: blocks.size, heads, patchSize, imageSize };
}

function kindOf(tensors: NamedWeights["tensors"]): string {
  const isXcit = tensors.has("pos_embeder.token_projection.weight");
  return isXcit ? "an XCiT's, which is announced and not here yet" : `${tensors.size} others`;
}

/** Under this name a file's metadata, or the settings in it, hold the architecture. */
export const architectureKey = "architecture";

/** The architecture that a file's metadata tells: a run's state does, and an exported backbone. */
export function architectureIn({
  metadata,
}: Pick<Checkpoint, "metadata">): Architecture | undefined {
  const settings = parsed(metadata.settings) as Readonly<Record<string, unknown>> | undefined;
  const value = (parsed(metadata[architectureKey]) ?? settings?.[architectureKey]) as
    | Architecture
    | undefined;
  if (!value) return undefined;
  const { embedDim, depth, heads, patchSize, imageSize } = value;
  const sizes = { embedDim, depth, heads, patchSize, imageSize };
  return Object.values(sizes).every((n) => Number.isSafeInteger(n) && n > 0) ? sizes : undefined;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
