import { type VisionTransformer, vit } from "@dino/backbones/vit";
import type { Checkpoint, NamedWeights } from "@dino/checkpoint";

/** What a Vision Transformer is built from. */
export interface Architecture {
  readonly embedDim: number;
  readonly depth: number;
  readonly heads: number;
  readonly patchSize: number;
  /** Side of the pictures that its positions were learnt for. */
  readonly imageSize: number;
}

/** Under this name a file's metadata hold the architecture. */
export const architectureKey = "architecture";

export function backboneOf(architecture: Architecture): VisionTransformer {
  return vit({ ...architecture });
}

/** The architecture that a file tells, or that its tensors show. */
export function architectureOf(checkpoint: Checkpoint, weights: NamedWeights): Architecture {
  return told(checkpoint) ?? shown(weights);
}

/** A run's state tells it among the settings, an exported model by itself. */
function told({ metadata }: Checkpoint): Architecture | undefined {
  const settings = parsed(metadata.settings) as Readonly<Record<string, unknown>> | undefined;
  const value = parsed(metadata[architectureKey]) ?? settings?.[architectureKey];
  if (typeof value !== "object" || value === null) return undefined;
  const { embedDim, depth, heads, patchSize, imageSize } = value as Architecture;
  const sizes = { embedDim, depth, heads, patchSize, imageSize };
  return Object.values(sizes).every((n) => Number.isSafeInteger(n) && n > 0) ? sizes : undefined;
}

/** Heads are 64 wide in all published models; the tensors do not tell. */
function shown({ name, tensors }: NamedWeights): Architecture {
  const [embedDim = 0, channels = 0, patchSize = 0] =
    tensors.get("patch_embed.proj.weight")?.shape ?? [];
  const positions = tensors.get("pos_embed")?.shape[1];
  if (channels !== 3 || positions === undefined || embedDim % 64 !== 0) {
    throw new Error(
      `${name}: expected a Vision Transformer with heads that are 64 wide, got width ${embedDim}, ${tensors.size} tensors`,
    );
  }
  const blocks = new Set(
    [...tensors.keys()].flatMap((key) => /^blocks\.(\d+)\./.exec(key)?.[1] ?? []),
  );
  const imageSize = Math.round(Math.sqrt(positions - 1)) * patchSize;
  return { embedDim, depth: blocks.size, heads: embedDim / 64, patchSize, imageSize };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
