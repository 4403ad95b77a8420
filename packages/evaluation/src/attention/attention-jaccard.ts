import { type LabelMap, voidLabel } from "../video/label-map.ts";

/** Which patches of a picture a mask keeps: 1 for those, 0 for the others. */
export interface PatchMask {
  readonly rows: number;
  readonly columns: number;
  /** Row by row: `rows * columns` values. */
  readonly data: ArrayLike<number>;
  /**
   * Patches that the whole picture is high and wide, where a rest at the bottom or right has none:
   * 30.5 is half a patch more than 30 rows. The whole patches when absent.
   */
  readonly extent?: { readonly rows: number; readonly columns: number };
}

export interface AttentionJaccardOptions {
  /** Pixels with this label do not count. */
  readonly ignore?: number | undefined;
}

/** How far a picture's masks agree with its segmentation, from 0 to 1. */
export interface AttentionJaccard {
  /** Of each mask, in their order. */
  readonly each: readonly number[];
  /** Of the mask that agrees most: what the paper counts. */
  readonly best: number;
}

/**
 * The Jaccard index of attention masks, one a head, with what a segmentation calls an object: the
 * pixels of both over the pixels of either, 1 where both are empty (Caron et al. 2021, figure 4). All
 * labels but 0 are objects, and 255 is left out unless `ignore` says otherwise. It is taken at the
 * segmentation's own size: the masks are enlarged by nearest neighbour, and where a picture has a
 * rest without a patch, no mask keeps it.
 */
export function attentionJaccard(
  masks: readonly PatchMask[],
  truth: LabelMap,
  { ignore = voidLabel }: AttentionJaccardOptions = {},
): AttentionJaccard {
  if (masks.length === 0) throw new RangeError("masks: expected one or more, got none");
  if (truth.data.length !== truth.width * truth.height || truth.data.length === 0) {
    throw new RangeError(
      `truth: expected ${truth.width} x ${truth.height} labels, got ${truth.data.length}`,
    );
  }
  const each = masks.map((mask, i) => {
    assertMask(`masks[${i}]`, mask);
    return jaccard(mask, truth, ignore);
  });
  return { each, best: Math.max(...each) };
}

function jaccard(mask: PatchMask, truth: LabelMap, ignore: number): number {
  const { rows, columns, data, extent = mask } = mask;
  const patchOf = (pixel: number, pixels: number, patches: number) =>
    Math.floor(((pixel + 0.5) / pixels) * patches);
  let [both, either] = [0, 0];
  for (let y = 0; y < truth.height; y++) {
    const row = patchOf(y, truth.height, extent.rows);
    for (let x = 0; x < truth.width; x++) {
      const label = truth.data[y * truth.width + x];
      if (label === ignore) continue;
      const column = patchOf(x, truth.width, extent.columns);
      const kept = row < rows && column < columns && data[row * columns + column] !== 0;
      const isObject = label !== 0;
      if (kept && isObject) both++;
      if (kept || isObject) either++;
    }
  }
  return either === 0 ? 1 : both / either;
}

function assertMask(name: string, { rows, columns, data, extent }: PatchMask): void {
  if (data.length !== rows * columns || data.length === 0) {
    throw new RangeError(
      `${name}: expected ${rows} x ${columns} = ${rows * columns} patches, got ${data.length}`,
    );
  }
  if (extent && !(extent.rows >= rows && extent.columns >= columns)) {
    throw new RangeError(
      `${name}: expected an extent of at least ${rows} x ${columns} patches, got ${extent.rows} x ${extent.columns}`,
    );
  }
}
