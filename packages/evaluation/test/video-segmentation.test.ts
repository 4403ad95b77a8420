import {
  boundaryMeasure,
  type LabelMap,
  labelMap,
  meanSegmentationScores,
  patchFeatures,
  patchLabels,
  propagateLabels,
  regionSimilarity,
  resizeLabels,
  type SoftLabels,
  segmentationScores,
  segmentVideo,
} from "@dino/evaluation";
import {
  decode,
  expectClose,
  expectNoLeak,
  expectValues,
  type GoldenArray,
  golden,
  named,
  namedValues,
  onEveryBackend,
} from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { figures } from "./figures.ts";

interface PropagationGolden {
  readonly salt: string;
  readonly h: number;
  readonly w: number;
  readonly dim: number;
  readonly context: number;
  readonly classes: number;
  readonly topk: number;
  readonly temperature: number;
  readonly segs: readonly GoldenArray[];
  readonly out_by_neighborhood: Readonly<
    Record<string, { readonly seg: GoldenArray; readonly normed: GoldenArray }>
  >;
}

const reference = golden<PropagationGolden>("video_segmentation");
const [rows, columns, patchSize] = [5, 7, 4];

onEveryBackend(
  () => {
    test("agrees with the reference, near by and everywhere", async () => {
      const { salt, h, w, dim, context, classes, topk, temperature, segs } = reference;
      const frame = (i: number) => named<tf.Tensor2D>(`${salt}vos.f${i}`, [h * w, dim]);
      const sources = segs.map((seg, i) => ({
        features: frame(i),
        labels: { rows: h, columns: w, classes, values: Float32Array.from(decode(seg)) },
      }));
      const target = frame(context);
      const before = tf.memory().numTensors;
      for (const [reach, expected] of Object.entries(reference.out_by_neighborhood)) {
        const neighborhood = Number(reach);
        const options = { neighborhood, topK: topk, temperature };
        const found = await propagateLabels(target, sources, options);
        expect([found.classes, found.rows, found.columns]).toEqual([classes, h, w]);
        expectValues(found.values, decode(expected.seg));
        // At one pixel a patch, the label map is the class of the largest stretched value.
        expect(labelMap(found, 1).data).toEqual(largestOf(decode(expected.normed), classes));
      }
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose([target, ...sources.map(({ features }) => features)]);
    });

    test("follows objects through a video as PyTorch and Pillow do", async () => {
      const first = patchLabels(firstLabels(), { rows, columns });
      const before = tf.memory().numTensors;
      const soft: number[] = [];
      const labels: number[] = [];
      const options = { lastFrames: 3, neighborhood: 2, topK: 4 };
      for await (const found of segmentVideo(driftingFrames(), first, options)) {
        soft.push(...found.values);
        labels.push(...resizeLabels(labelMap(found, patchSize), { width: 30, height: 22 }).data);
      }
      expectValues(soft, decode(figures.video.soft));
      expect(labels).toEqual([...decode(figures.video.labels)]);
      expect(tf.memory().numTensors).toBe(before);
    });

    test("keeps no tensor when it is left early, or stopped", async () => {
      const first = patchLabels(firstLabels(), { rows, columns });
      const before = tf.memory().numTensors;
      for await (const _ of segmentVideo(driftingFrames(), first)) break;
      expect(tf.memory().numTensors).toBe(before);
      const signal = AbortSignal.abort(new Error("enough"));
      const stopped = segmentVideo(driftingFrames(), first, { signal });
      await expect(stopped.next()).rejects.toThrow("enough");
      expect(tf.memory().numTensors).toBe(before);
    });
  },
  { waits: true },
);

onEveryBackend(() => {
  test("gives the patches of the last block, without the class token", () => {
    const tokens = tf.tensor3d([[[9, 9], [1, 2], [3, 4], [5, 6]]]); // biome-ignore format: a picture's tokens
    const backbone = { embedDim: 2, intermediateTokens: () => [tf.clone(tokens)] };
    const image = tf.zeros<tf.Rank.R4>([1, 1, 3, 3]);
    const features = patchFeatures(backbone, {}, image);
    expect(features.shape).toEqual([3, 2]);
    expectClose(features, [1, 2, 3, 4, 5, 6]);
    expectNoLeak(() => patchFeatures(backbone, {}, image));
  });
});

/** Seven frames whose features drift, each value rounded as numpy rounds it. */
async function* driftingFrames(): AsyncGenerator<tf.Tensor2D> {
  const shape: [number, number] = [rows * columns, 6];
  let values = namedValues("video.base", rows * columns * 6);
  yield tf.tensor2d(values, shape);
  for (let i = 1; i < 7; i++) {
    const drift = namedValues(`video.drift${i}`, values.length);
    values = values.map((value, at) => value + Math.fround(0.5 * (drift[at] as number)));
    yield tf.tensor2d(values, shape);
  }
}

/** Two objects on a frame. */
function firstLabels(): LabelMap {
  return drawn(30, 22, (x, y) => {
    if (Math.abs(y - 14) < 6 && Math.abs(x - 21) < 5) return 2;
    return (y - 8) ** 2 + (x - 9) ** 2 < 30 ? 1 : 0;
  });
}

function drawn(width: number, height: number, label: (x: number, y: number) => number): LabelMap {
  const data = Uint8Array.from({ length: width * height }, (_, at) =>
    label(at % width, Math.floor(at / width)),
  );
  return { width, height, data };
}

function largestOf(values: ArrayLike<number>, classes: number): Uint8Array {
  const patches = values.length / classes;
  return Uint8Array.from({ length: patches }, (_, patch) => {
    const own = Array.from({ length: classes }, (_, i) => values[i * patches + patch] as number);
    return own.indexOf(Math.max(...own));
  });
}

test("looks no further than there is anything, and counts equals of the last", async () => {
  const features = tf.ones<tf.Rank.R2>([4, 2]); // all equally similar
  const values = Float32Array.of(1, 0, 0, 0, 0, 1, 1, 1);
  const labels: SoftLabels = { rows: 1, columns: 4, classes: 2, values };
  const many = await propagateLabels(features, [{ features, labels }], { topK: 9 });
  expectValues(many.values, [0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75]);
  const one = await propagateLabels(features, [{ features, labels }], { topK: 1, neighborhood: 1 });
  expectValues(one.values, [1 / 2, 1 / 3, 0, 0, 1 / 2, 2 / 3, 1, 1]);
  features.dispose();
});

test("takes void for background in the labels that are given", () => {
  const labels = drawn(2, 1, (x) => (x === 0 ? 255 : 1));
  const found = patchLabels(labels, { rows: 1, columns: 2 });
  expect(found).toEqual({ rows: 1, columns: 2, classes: 2, values: Float32Array.of(1, 0, 0, 1) });
});

test("resizes labels as Pillow does", () => {
  const labels = drawn(61, 47, (x, y) => (y * 61 + x) % 251);
  for (const expected of figures.nearest) {
    const [height, width] = expected.shape as readonly [number, number];
    expect(resizeLabels(labels, { width, height })).toEqual({
      width,
      height,
      data: decode(expected),
    });
  }
});

/** Three ellipses that wander over eleven frames. */
function blobs(name: string): readonly LabelMap[] {
  const [width, height] = [160, 90];
  const draws = namedValues(name, 11 * 12, 0);
  return Array.from({ length: 11 }, (_, t) => {
    const ellipses = [0, 1, 2].map((i) => {
      const [a, b, c, d] = draws.subarray(12 * t + 4 * i) as unknown as Quadruple;
      return {
        x: width * (0.25 + 0.2 * i) + 0.7 * t + 14 * a,
        y: height * (0.3 + 0.15 * i) + 10 * b,
        size: (width / (9 - i)) * (width / (9 - i)) * (0.7 + 0.5 * c),
        flat: 1 + d,
      };
    });
    return drawn(width, height, (x, y) => {
      const inside = ellipses.map(
        (e) => (x - e.x) * (x - e.x) + e.flat * ((y - e.y) * (y - e.y)) < e.size,
      );
      return 1 + inside.lastIndexOf(true);
    });
  });
}
type Quadruple = readonly [number, number, number, number];

const without = (object: number, { data, ...size }: LabelMap): LabelMap => ({
  ...size,
  data: data.map((label) => (label === object ? 0 : label)),
});

test("measures J and F as the benchmark does", () => {
  const gone: Readonly<Record<number, number>> = { 4: 3, 5: 2 };
  const truth = blobs("measures.truth").map((labels, t) => {
    const left = without(gone[t] ?? 0, labels);
    if (t === 0) return without(255, drawStrip(left, t, 0));
    return drawStrip(left, t, 255);
  });
  const lost: Readonly<Record<number, number>> = { 4: 3, 6: 1 };
  const found = blobs("measures.found").map((labels, t) => without(lost[t] ?? 0, labels));
  const sums = [truth, found].map((maps) =>
    maps.map(({ data }) => data.reduce((a: number, b) => a + b, 0)),
  );
  expect(sums).toEqual(figures.measures.sums); // the same pictures

  const scores = segmentationScores(found, truth);
  expect(scores).toHaveLength(3);
  scores.forEach(({ mean, region, boundary }, i) => {
    const expected = figures.measures.objects[i];
    const triple = (of: typeof region) => [of.mean, of.recall, of.decay];
    expectValues(triple(region), expected?.region ?? [], 1e-9);
    expectValues(triple(boundary), expected?.boundary ?? [], 1e-9);
    expect(mean).toBeCloseTo((region.mean + boundary.mean) / 2, 9);
  });
  const all = meanSegmentationScores(scores);
  const means = figures.measures.objects.map(({ boundary: [mean] }) => mean);
  expect(all.boundary.mean).toBeCloseTo(means.reduce((a, b) => a + b) / 3, 9);
});

/** Columns 40 to 45 and one more to the right each frame. */
function drawStrip({ width, height, data }: LabelMap, t: number, label: number): LabelMap {
  return drawn(width, height, (x, y) =>
    x >= 40 + t && x < 46 + t ? label : (data[y * width + x] as number),
  );
}

const square = (left: number, size = 8) =>
  drawn(200, 100, (x, y) => (x >= left && x < left + size && y >= 40 && y < 40 + size ? 1 : 0));

test("has full marks for the same mask, and for two empty ones", () => {
  const empty = drawn(200, 100, () => 0);
  for (const mask of [square(20), empty]) {
    expect(regionSimilarity(mask, mask)).toBe(1);
    expect(boundaryMeasure(mask, mask)).toBe(1);
  }
  expect(regionSimilarity(square(20), empty)).toBe(0);
  expect(boundaryMeasure(square(20), empty)).toBe(0);
});

test("forgives a boundary that lies as near as the tolerance, and no further", () => {
  // 0.008 of the diagonal of 200 x 100 pixels is two pixels, rounded up.
  expect(boundaryMeasure(square(22), square(20))).toBe(1);
  expect(boundaryMeasure(square(23), square(20))).toBeLessThan(1);
  expect(boundaryMeasure(square(23), square(20), { tolerance: 3 })).toBe(1);
});

const three = [square(20), square(20), square(20)];
test.each<[string, () => unknown, string]>([
  [
    "a frame too few",
    () => segmentationScores(three.slice(1), three),
    "found: expected 3 frames as in truth, got 2",
  ],
  [
    "nothing between the first and the last",
    () => segmentationScores(three.slice(1), three.slice(1)),
    "truth: expected 3 frames or more (the first and the last do not count), got 2",
  ],
  [
    "frames of other sizes",
    () => segmentationScores([...three.slice(1), drawn(9, 9, () => 0)], three),
    "found[2]: expected 200 x 100 pixels as in truth[2], got 9 x 9",
  ],
  [
    "an object too many",
    () => segmentationScores([square(20), drawn(200, 100, () => 2), square(20)], three),
    "found[1]: expected labels up to 1, got 2",
  ],
  [
    "labels cut short",
    () => resizeLabels({ width: 2, height: 2, data: new Uint8Array(3) }, { width: 1, height: 1 }),
    "labels: expected 2 x 2 = 4 labels, got 3",
  ],
  [
    "patches without values",
    () => labelMap({ rows: 2, columns: 2, classes: 2, values: new Float32Array(4) }, 8),
    "labels: expected 2 classes of 2 x 2 patches, got 4 values",
  ],
])("says what is wrong with %s", (_, run, message) => {
  expect(run).toThrow(message);
});

test.each([
  ["no frames", [], {}, "sources: expected at least one frame, got none"],
  ["no patches", undefined, { topK: 0 }, "topK: expected a whole number from 1, got 0"],
  [
    "half a row",
    undefined,
    { neighborhood: 0.5 },
    "neighborhood: expected a whole number from 0, got 0.5",
  ],
  [
    "a temperature of 0",
    undefined,
    { temperature: 0 },
    "temperature: expected a number above 0, got 0",
  ],
])("says what is wrong with %s in propagation", async (_, given, options, message) => {
  const features = tf.ones<tf.Rank.R2>([4, 2]);
  const values = new Float32Array(8);
  const labels: SoftLabels = { rows: 1, columns: 4, classes: 2, values };
  const sources = given ?? [{ features, labels }];
  await expect(propagateLabels(features, sources, options)).rejects.toThrow(message);
  features.dispose();
});

test("names the frame whose patches are of another number", async () => {
  const features = tf.ones<tf.Rank.R2>([4, 2]);
  const labels: SoftLabels = { rows: 1, columns: 4, classes: 1, values: new Float32Array(4) };
  const other = tf.ones<tf.Rank.R2>([6, 2]);
  await expect(propagateLabels(other, [{ features, labels }])).rejects.toThrow(
    "features: expected shape [4, *], got [6, 2]",
  );
  await expect(
    propagateLabels(features, [
      { features, labels },
      { features: other, labels },
    ]),
  ).rejects.toThrow("sources[1].features: expected shape [4, 2], got [6, 2]");
  tf.dispose([features, other]);
});
