/** Some rows of a frame's patches, and what they are compared with. */
export interface AttendedBand {
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
  /** The band's rows: from `top`, before `bottom`. */
  readonly top: number;
  readonly bottom: number;
  /** The rows of the other frames that were compared: from `first`, before `last`. */
  readonly first: number;
  readonly last: number;
  /** For each other frame, `[band's patches, compared patches]`. */
  readonly similarities: readonly Float32Array[];
  /** For each other frame, `[classes, all patches]`. */
  readonly labels: readonly Float32Array[];
}

export interface MixLabelsOptions {
  /** Rows and columns to each side. */
  readonly reach: number;
  readonly topK: number;
  readonly temperature: number;
}

/** Writes the labels of a band's patches to their places in `out`, `[classes, all patches]`. */
export function mixLabels(band: AttendedBand, options: MixLabelsOptions, out: Float32Array): void {
  const { rows, columns, classes, labels } = band;
  const patches = rows * columns;
  const best = new Float64Array(options.topK);
  const sums = new Float64Array(classes);
  for (let row = band.top; row < band.bottom; row++) {
    for (let column = 0; column < columns; column++) {
      const near = nearest(band, options.reach, { row, column }, best);
      const [closest, furthest] = [best[0] as number, best[best.length - 1] as number];
      sums.fill(0);
      let total = 0;
      for (const { similarity, frame, patch } of near) {
        if (similarity < furthest) continue;
        // Relative to the closest, which changes no share and keeps small temperatures finite.
        const weight = Math.exp((similarity - closest) / options.temperature);
        total += weight;
        for (let label = 0; label < classes; label++) {
          const value = labels[frame]?.[label * patches + patch] as number;
          sums[label] = (sums[label] as number) + weight * value;
        }
      }
      for (let label = 0; label < classes; label++) {
        out[label * patches + row * columns + column] = (sums[label] as number) / total;
      }
    }
  }
}

interface Candidate {
  readonly similarity: number;
  readonly frame: number;
  readonly patch: number;
}

/**
 * Writes the largest similarities within reach of a place to `best`, largest first, and returns
 * all patches that are as similar as the last of these, and some that are less.
 */
function nearest(
  { columns, rows, top, first, last, similarities }: AttendedBand,
  reach: number,
  { row, column }: { readonly row: number; readonly column: number },
  best: Float64Array,
): readonly Candidate[] {
  best.fill(Number.NEGATIVE_INFINITY);
  const compared = (last - first) * columns;
  const own = ((row - top) * columns + column) * compared;
  const [fromRow, toRow] = [Math.max(row - reach, 0), Math.min(row + reach, rows - 1)];
  const [from, to] = [Math.max(column - reach, 0), Math.min(column + reach, columns - 1)];
  const candidates: Candidate[] = [];
  let furthest = Number.NEGATIVE_INFINITY;
  for (let frame = 0; frame < similarities.length; frame++) {
    const values = similarities[frame] as Float32Array;
    for (let y = fromRow; y <= toRow; y++) {
      const line = own + (y - first) * columns;
      for (let x = from; x <= to; x++) {
        const similarity = values[line + x] as number;
        if (similarity < furthest) continue;
        candidates.push({ similarity, frame, patch: y * columns + x });
        furthest = insert(best, similarity);
      }
    }
  }
  return candidates;
}

/** Keeps the largest values, largest first; returns the last of them. */
function insert(best: Float64Array, value: number): number {
  let at = best.length - 1;
  if (value > (best[at] as number)) {
    for (; at > 0 && value > (best[at - 1] as number); at--) best[at] = best[at - 1] as number;
    best[at] = value;
  }
  return best[best.length - 1] as number;
}
