import { usualHeadWidth, type VitArchitecture, vitOfData, vitOfShapes } from "@dino/backbones/vit";
import type { Checkpoint, NamedWeights } from "@dino/checkpoint";

/** Under this name a file's metadata hold the architecture. */
export const architectureKey = "architecture";

/** The architecture that a file tells, or that its tensors show. */
export function architectureOf(checkpoint: Checkpoint, weights: NamedWeights): VitArchitecture {
  return told(checkpoint) ?? shown(weights);
}

/** A run's state tells it among the settings, an exported model by itself. */
function told({ metadata }: Checkpoint): VitArchitecture | undefined {
  const settings = parsed(metadata.settings) as Readonly<Record<string, unknown>> | undefined;
  return vitOfData(parsed(metadata[architectureKey]) ?? settings?.[architectureKey]);
}

function shown({ name, tensors }: NamedWeights): VitArchitecture {
  const sizes = vitOfShapes(tensors);
  const heads = (sizes?.embedDim ?? 0) / usualHeadWidth;
  if (sizes && Number.isInteger(heads)) return { ...sizes, heads };
  throw new Error(
    `${name}: expected a Vision Transformer with heads that are ${usualHeadWidth} wide, got ${
      sizes ? `width ${sizes.embedDim}` : `${tensors.size} other tensors`
    }`,
  );
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
