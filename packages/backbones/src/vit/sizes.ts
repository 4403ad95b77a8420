/** What makes one Vision Transformer larger than another. */
export interface VitSizes {
  /** Width of a token. */
  readonly embedDim: number;
  /** Number of blocks. */
  readonly depth: number;
  readonly heads: number;
}

export type VitSize = "tiny" | "small" | "base";

/** The sizes by plain name, by the reference's, and by DeiT's. */
export type VitName = VitSize | `vit_${VitSize}` | `deit_${VitSize}`;

/** Touvron et al. 2020 (DeiT), table 1, which DINO's reference follows. */
export const vitSizes: Readonly<Record<VitSize, VitSizes>> = {
  tiny: { embedDim: 192, depth: 12, heads: 3 },
  small: { embedDim: 384, depth: 12, heads: 6 },
  base: { embedDim: 768, depth: 12, heads: 12 },
};

/** The size that a name stands for. */
export function vitSize(name: string): VitSize {
  const size = name.replace(/^(vit|deit)_/, "");
  if (Object.hasOwn(vitSizes, size)) return size as VitSize;
  const known = Object.keys(vitSizes).join(", ");
  throw new RangeError(`name: expected one of ${known}, or vit_ or deit_ before it, got ${name}`);
}
