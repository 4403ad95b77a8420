import type { VitSizes } from "./sizes.ts";

/** What a Vision Transformer is built from, with nothing left to a default: `vit(architecture)`. */
export interface VitArchitecture extends VitSizes {
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Side of the square pictures that its positions were learnt for. */
  readonly imageSize: number;
}

/** Width of a head in all published models. */
export const usualHeadWidth = 64;

/**
 * The architecture that the shapes of a file's parameters show, under the reference's names; nothing
 * where they are no Vision Transformer's. They do not tell the heads, which are `usualHeadWidth` wide
 * in all published models.
 */
export function vitOfShapes(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): Omit<VitArchitecture, "heads"> | undefined {
  const [embedDim, channels, patchSize] = tensors.get("patch_embed.proj.weight")?.shape ?? [];
  const positions = tensors.get("pos_embed")?.shape[1]; // one for the class token, then the patches
  if (embedDim === undefined || channels !== 3 || patchSize === undefined) return undefined;
  if (positions === undefined) return undefined;
  const block = /^blocks\.(\d+)\./;
  const blocks = new Set([...tensors.keys()].flatMap((name) => block.exec(name)?.[1] ?? []));
  const imageSize = Math.round(Math.sqrt(positions - 1)) * patchSize;
  return { embedDim, depth: blocks.size, patchSize, imageSize };
}

/** The architecture in plain data, as a file's metadata have it; nothing where it is none. */
export function vitOfData(value: unknown): VitArchitecture | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { embedDim, depth, heads, patchSize, imageSize } = value as VitArchitecture;
  const sizes = { embedDim, depth, heads, patchSize, imageSize };
  return Object.values(sizes).every((n) => Number.isSafeInteger(n) && n > 0) ? sizes : undefined;
}
