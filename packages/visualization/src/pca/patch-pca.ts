import type { PatchGrid } from "../attention.ts";
import { assertPatches, normalize } from "../patch-map.ts";
import { assertTokens, type PatchTokens } from "../patch-tokens.ts";
import { project } from "./project.ts";

export interface PatchPcaOptions {
  /**
   * Patches whose first component, stretched to [0, 1] over all pictures, is at most this are
   * background, and the components are taken anew from the others: how DINOv2's figures are made
   * (Oquab et al. 2023). From 0 to below 1; all patches are shown when absent.
   */
  readonly foreground?: number | undefined;
  /**
   * The class token's attention, one map a picture: the end of the first component that it looks
   * at is the foreground. Without it the end is settled, but has no meaning.
   */
  readonly attention?: readonly ArrayLike<number>[] | undefined;
}

/** Where the patches of a picture lie along the principal components. */
export interface PatchComponents extends PatchGrid {
  /** Three maps, `rows * columns` values each; 0 for the background. */
  readonly maps: readonly Float32Array[];
  /** 1 for patches of the foreground, 0 for the others. */
  readonly mask: Uint8Array;
}

export interface PatchPca {
  /** One for each picture, in their order. */
  readonly pictures: readonly PatchComponents[];
  /** The share of the variance that each of the three components holds, in [0, 1]. */
  readonly explained: readonly number[];
}

/** As many components as colours have channels. */
const components = 3;

/** With fewer patches, three components would tell nothing of them. */
const fewest = 4;

/**
 * The first three principal components of patches' tokens. Several pictures share one basis, so
 * that what is alike has the same place in all of them. Throws a `RangeError` where tokens do not
 * fit together, and where fewer than four patches are there or left.
 */
export async function patchPca(
  pictures: readonly PatchTokens[],
  { foreground, attention }: PatchPcaOptions = {},
): Promise<PatchPca> {
  const dim = assertPictures(pictures, attention);
  if (foreground !== undefined && !(foreground >= 0 && foreground < 1)) {
    throw new RangeError(`foreground: expected [0, 1), got ${foreground}`);
  }
  const rows = joined(pictures.map(({ values }) => values));
  const patches = rows.length / dim;
  if (patches < fewest) {
    throw new RangeError(`pictures: expected at least ${fewest} patches, got ${patches}`);
  }

  const whole = await project(rows, dim, components);
  const everywhere = Array.from({ length: patches }, (_, patch) => patch);
  if (foreground === undefined) return spread(pictures, whole, everywhere);

  const along = towards(whole.scores[0] as Float32Array, attention);
  const kept = everywhere.filter((patch) => (along[patch] as number) > foreground);
  if (kept.length < fewest) {
    throw new RangeError(
      `foreground: expected at least ${fewest} patches above ${foreground}, got ${kept.length}`,
    );
  }
  const chosen = new Float32Array(kept.length * dim);
  kept.forEach((patch, i) => {
    chosen.set(rows.subarray(patch * dim, (patch + 1) * dim), i * dim);
  });
  return spread(pictures, await project(chosen, dim, components), kept);
}

/** The values stretched to [0, 1], and turned so that more attention means a higher one. */
function towards(
  scores: Float32Array,
  attention: readonly ArrayLike<number>[] | undefined,
): Float32Array {
  if (!attention) return normalize(scores);
  const looked = joined(attention.map((map) => normalize(map)));
  const mean = looked.reduce((sum, value) => sum + value, 0) / looked.length;
  const together = scores.reduce(
    (sum, value, i) => sum + value * ((looked[i] as number) - mean),
    0,
  );
  return normalize(together < 0 ? scores.map((value) => -value) : scores);
}

/** Scores of the patches `kept`, counted through all pictures, as maps of each picture. */
function spread(
  pictures: readonly PatchTokens[],
  { scores, explained }: { scores: readonly Float32Array[]; explained: readonly number[] },
  kept: readonly number[],
): PatchPca {
  let start = 0;
  let next = 0;
  return {
    explained,
    pictures: pictures.map(({ rows, columns, patchSize }) => {
      const end = start + rows * columns;
      const mask = new Uint8Array(rows * columns);
      const maps = scores.map(() => new Float32Array(rows * columns));
      for (; next < kept.length && (kept[next] as number) < end; next++) {
        const patch = (kept[next] as number) - start;
        mask[patch] = 1;
        for (const [i, map] of maps.entries()) map[patch] = scores[i]?.[next] as number;
      }
      start = end;
      return { rows, columns, patchSize, maps, mask };
    }),
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The width of the tokens, which is the same for all pictures. */
function assertPictures(
  pictures: readonly PatchTokens[],
  attention: readonly ArrayLike<number>[] | undefined,
): number {
  const [first] = pictures;
  if (first === undefined) throw new RangeError("pictures: expected one or more, got none");
  if (first.dim < components) {
    throw new RangeError(
      `pictures[0]: expected tokens of ${components} values or more, got ${first.dim}`,
    );
  }
  if (attention && attention.length !== pictures.length) {
    throw new RangeError(
      `attention: expected ${pictures.length} maps, one a picture, got ${attention.length}`,
    );
  }
  pictures.forEach((tokens, i) => {
    assertTokens(`pictures[${i}]`, tokens, first.dim);
    if (attention) assertPatches(`attention[${i}]`, attention[i] as ArrayLike<number>, tokens);
  });
  return first.dim;
}
