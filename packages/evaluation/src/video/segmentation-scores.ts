import { boundaryMeasure } from "./boundary-measure.ts";
import { assertSameSize, type LabelMap, voidLabel } from "./label-map.ts";
import { type Mask, regionSimilarity } from "./region-similarity.ts";

/** A measure over the frames of a video, in percent. */
export interface MeasureScores {
  readonly mean: number;
  /** The share of frames above 0.5. */
  readonly recall: number;
  /** How much lower the last quarter's mean is than the first's. */
  readonly decay: number;
}

/** How well one object was followed, or the mean over several. */
export interface SegmentationScores {
  /** The mean of the two means, J&F. */
  readonly mean: number;
  /** J, the region similarity. */
  readonly region: MeasureScores;
  /** F, the boundary measure. */
  readonly boundary: MeasureScores;
}

/**
 * How well each object of a video was followed, as the DAVIS benchmark of 2017 counts it: the
 * objects are those of the first frame, whose labels were given; neither it nor the last frame
 * counts, nor do pixels that are void (255) in the truth.
 */
export function segmentationScores(
  found: readonly LabelMap[],
  truth: readonly LabelMap[],
): readonly SegmentationScores[] {
  if (found.length !== truth.length) {
    throw new RangeError(`found: expected ${truth.length} frames as in truth, got ${found.length}`);
  }
  if (truth.length < 3) {
    throw new RangeError(
      `truth: expected 3 frames or more (the first and the last do not count), got ${truth.length}`,
    );
  }
  truth.forEach((labels, i) => {
    assertSameSize(`found[${i}]`, found[i] as LabelMap, `truth[${i}]`, labels);
  });
  const objects = highest(truth[0] as LabelMap);
  found.slice(1, -1).forEach(({ data }, i) => {
    const most = data.reduce((a, b) => Math.max(a, b), 0);
    if (most <= objects) return;
    throw new RangeError(`found[${i + 1}]: expected labels up to ${objects}, got ${most}`);
  });
  return Array.from({ length: objects }, (_, object) => {
    const [regions, boundaries]: [number[], number[]] = [[], []];
    for (let frame = 1; frame < truth.length - 1; frame++) {
      const real = truth[frame] as LabelMap;
      const ours = maskOf(object + 1, found[frame] as LabelMap, real);
      const theirs = maskOf(object + 1, real, real);
      regions.push(regionSimilarity(ours, theirs));
      boundaries.push(boundaryMeasure(ours, theirs));
    }
    return joint(measureScores(regions), measureScores(boundaries));
  });
}

/** The mean over objects, each counting as much as any other. */
export function meanSegmentationScores(objects: readonly SegmentationScores[]): SegmentationScores {
  const mean = (of: (scores: SegmentationScores) => number) =>
    objects.reduce((sum, scores) => sum + of(scores), 0) / objects.length;
  const measure = (of: (scores: SegmentationScores) => MeasureScores): MeasureScores => ({
    mean: mean((scores) => of(scores).mean),
    recall: mean((scores) => of(scores).recall),
    decay: mean((scores) => of(scores).decay),
  });
  return joint(
    measure(({ region }) => region),
    measure(({ boundary }) => boundary),
  );
}

function joint(region: MeasureScores, boundary: MeasureScores): SegmentationScores {
  return { mean: (region.mean + boundary.mean) / 2, region, boundary };
}

/** Of values from 0 to 1, a frame each. */
function measureScores(values: readonly number[]): MeasureScores {
  const edges = [0, 1, 2, 3, 4].map((i) => Math.round((i * (values.length - 1)) / 4));
  const part = (i: number) => values.slice(edges[i], (edges[i + 1] as number) + 1);
  return {
    mean: 100 * meanOf(values),
    recall: 100 * meanOf(values.map((value) => (value > 0.5 ? 1 : 0))),
    decay: 100 * (meanOf(part(0)) - meanOf(part(3))),
  };
}

/** Where an object is, but for pixels that are void in the truth. */
function maskOf(object: number, labels: LabelMap, { data: truth }: LabelMap): Mask {
  const data = labels.data.map((label, at) =>
    label === object && truth[at] !== voidLabel ? 1 : 0,
  );
  return { width: labels.width, height: labels.height, data };
}

function highest({ data }: LabelMap): number {
  return data.reduce((a, b) => (b === voidLabel ? a : Math.max(a, b)), 0);
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;
