import {
  type FeatureStream,
  type Features,
  featureStream,
  holdOut,
  type LinearEpoch,
  type LinearSnapshot,
  linearProbe,
  probeRandom,
  shuffledFeatures,
  sweepLearningRates,
  trainLinear,
} from "@dino/evaluation";
import { namedValues, onEveryBackend } from "@dino/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { features } from "./sets.ts";

/** Rows around a point for each class: a plane tells most of them apart. */
function clouds(count: number, classes = 5, name = "clouds"): Features {
  const dim = 6;
  const noise = namedValues(name, count * dim);
  const centers = namedValues("centers", classes * dim, -2, 2);
  return features(
    [...Array(count).keys()].map((row) =>
      [...Array(dim).keys()].map(
        (i) => (centers[(row % classes) * dim + i] as number) + (noise[row * dim + i] as number),
      ),
    ),
    [...Array(count).keys()].map((row) => row % classes),
  );
}

const train = clouds(60);
const held = clouds(25, 5, "held");
const sizes = { dim: 6, classes: 5 };

/** A training of two classifiers, and what it told. */
async function training(options: {
  readonly epochs?: number;
  readonly from?: LinearSnapshot;
  readonly save?: (snapshot: LinearSnapshot) => Promise<void>;
  readonly signal?: AbortSignal;
  readonly stream?: FeatureStream;
  readonly onProgress?: (progress: { readonly done: number }) => void;
}) {
  const { epochs = 4, from, stream, ...others } = options;
  const probe = linearProbe({ ...sizes, classifiers: 2 });
  const told: LinearEpoch[] = [];
  const { state } = await trainLinear({
    probe,
    features: stream ?? shuffledFeatures(train, { batchSize: 16, seed: 1 }),
    learningRates: [0.1, 0.001],
    epochs,
    from: from ?? probe.init(probeRandom(1)),
    validation: held,
    validateEvery: 2,
    onEpoch: (epoch) => told.push(epoch),
    ...others,
  });
  const classifiers = [await probe.classifier(state, 0), await probe.classifier(state, 1)];
  tf.dispose(state);
  return { told, classifiers };
}

/** A snapshot with tensors of its own. */
const copied = (snapshot: LinearSnapshot): LinearSnapshot => ({
  ...snapshot,
  state: {
    weight: tf.clone(snapshot.state.weight),
    bias: tf.clone(snapshot.state.bias),
    weightMomentum: tf.clone(snapshot.state.weightMomentum),
    biasMomentum: tf.clone(snapshot.state.biasMomentum),
  },
});

onEveryBackend(
  () => {
    test("learns what can be told apart, and tells how each epoch went", async () => {
      const before = tf.memory().numTensors;
      const { told } = await training({ epochs: 8 });
      expect(tf.memory().numTensors).toBe(before);
      expect(told.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(told.map(({ validation }) => validation !== undefined)).toEqual(
        [false, true, false, true, false, true, false, true], //
      );
      const last = told.at(-1) as LinearEpoch;
      const [fast, slow] = last.losses as [number, number];
      expect(fast).toBeLessThan(slow);
      expect(slow).toBeLessThan(Math.log(5) + 0.01);
      expect(last.validation?.[0]?.top1).toBeGreaterThan(90);
      expect(last.bestTop1[0]).toBeGreaterThanOrEqual(last.validation?.[0]?.top1 as number);
      expect(told[4]?.learningRates[0]).toBeCloseTo(0.05, 12);
    });

    test("goes on from any step with the same bits", async () => {
      const whole = await training({});
      for (const at of [3, 8]) {
        const controller = new AbortController();
        let kept: LinearSnapshot | undefined;
        const stopped = training({
          signal: controller.signal,
          save: async (snapshot) => {
            tf.dispose(kept?.state ?? []);
            kept = copied(snapshot);
          },
          onProgress: ({ done }) => done === at && controller.abort(new Error("enough")),
        });
        await expect(stopped).rejects.toThrow("enough");
        expect(kept?.step).toBe(at);
        const { told, classifiers } = await training({ from: kept as LinearSnapshot });
        expect(classifiers).toEqual(whole.classifiers);
        expect(told).toEqual(whole.told.slice(-told.length));
      }
    });
  },
  { waits: true },
);

beforeAll(async () => {
  await tf.setBackend("cpu");
});

test("gives up a classifier that diverges, and says when all do", async () => {
  const huge = { ...train, rows: train.rows.map((value) => 1e25 * value) };
  const stream = shuffledFeatures(huge, { batchSize: 16, seed: 1 });
  await expect(training({ stream })).rejects.toThrow(
    /^linear probe: expected a finite loss, got NaN in step \d+: lower the learning rate of /,
  );
});

test("gives every row once an epoch in an order of its own, whatever fits into memory", async () => {
  const large = clouds(300);
  for (const memoryBytes of [2 ** 20, 4 * 6 * 130]) {
    const stream = shuffledFeatures(large, { batchSize: 32, seed: 4, memoryBytes });
    expect(stream.perEpoch).toBe(10);
    const read = async (from: number, to: number) => {
      const batches: { rows: number[]; labels: number[] }[] = [];
      for await (const { features, labels } of stream.steps({ from, to })) {
        batches.push({ rows: [...features.dataSync()], labels: [...labels] });
        features.dispose();
      }
      return batches;
    };
    const steps = await read(0, 20);
    expect(steps.map(({ labels }) => labels.length)).toEqual(
      [...Array(20).keys()].map((step) => (step % 10 === 9 ? 12 : 32)),
    );
    const epochs = [steps.slice(0, 10), steps.slice(10)].map((epoch) =>
      epoch.flatMap(({ rows, labels }) =>
        labels.map((label, i) => [label, ...rows.slice(i * 6, (i + 1) * 6)].join()),
      ),
    );
    const all = [...Array(300).keys()].map((i) =>
      [large.labels[i], ...large.rows.subarray(i * 6, (i + 1) * 6)].join(),
    );
    for (const epoch of epochs) {
      expect(epoch.toSorted()).toEqual(all.toSorted());
      expect(epoch).not.toEqual(all);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
    for (const [from, to] of [
      [4, 7],
      [9, 12],
      [13, 20],
    ] as const) {
      expect(await read(from, to)).toEqual(steps.slice(from, to));
    }
  }
});

test("makes features of pictures as they come", async () => {
  const pictures = {
    perEpoch: 2,
    async *steps({ from, to }: { from: number; to: number }) {
      for (let step = from; step < to; step++) {
        yield { images: tf.fill<tf.Rank.R4>([2, 1, 1, 3], step), labels: Int32Array.of(0, 1) };
      }
    },
  };
  const backbone = {
    embedDim: 3,
    forward: (_: object, images: tf.Tensor4D) => tf.mean<tf.Tensor2D>(images, [1, 2]),
  };
  const before = tf.memory().numTensors;
  const seen: number[] = [];
  for await (const { features } of featureStream(backbone, {}, pictures).steps({
    from: 1,
    to: 3,
  })) {
    expect(features.shape).toEqual([2, 3]);
    seen.push(features.dataSync()[0] as number);
    features.dispose();
  }
  expect(seen).toEqual([1, 2]);
  expect(tf.memory().numTensors).toBe(before);
});

test("holds out some of each class, and reads the others", async () => {
  const { rest, held: out } = holdOut(train, { share: 0.25, seed: 7 });
  expect([rest.count, out.count]).toEqual([45, 15]);
  for (let label = 0; label < 5; label++) {
    expect(out.labels.filter((other) => other === label).length).toBe(3);
  }
  const rows = [
    ...(await rest.read(0, 20)),
    ...(await rest.read(20, 25)),
    ...(await out.read(0, 15)),
  ];
  const key = (of: ArrayLike<number>) =>
    Array.from({ length: 60 }, (_, i) => Array.from({ length: 6 }, (_, j) => of[i * 6 + j]).join());
  expect(key(rows).toSorted()).toEqual(key(train.rows).toSorted());
  const again = holdOut(train, { share: 0.25, seed: 8 });
  expect(await again.held.read(0, 15)).not.toEqual(await out.read(0, 15));
  const single = features([[1], [2], [3]], [0, 1, 1]);
  expect([...holdOut(single, { share: 0.01, seed: 0 }).held.labels]).toEqual([1]);
  expect(() => holdOut(features([[1], [2]], [0, 1]), { share: 0.5, seed: 0 })).toThrow(
    "features: expected a class with two rows at least, to hold one out",
  );
  expect(() => holdOut(train, { share: 1, seed: 0 })).toThrow(
    "share: expected a number between 0 and 1, got 1",
  );
});

test("finds the learning rate that does best on what was held out", async () => {
  const before = tf.memory().numTensors;
  const options = { classes: 5, batchSize: 16, seed: 2, epochs: 6 };
  const learningRates = [1e-6, 1e39, 0.1, 1e-3];
  const { rates, best } = await sweepLearningRates(train, { ...options, learningRates });
  expect(tf.memory().numTensors).toBe(before);
  expect(best).toBe(0.1);
  expect(rates.map(({ learningRate }) => learningRate)).toEqual(learningRates);
  const [slowest, diverged, good] = rates;
  expect(slowest?.loss).toBeGreaterThan(1.5);
  expect(diverged?.loss).toBeNaN();
  expect(good?.top1).toBeGreaterThan(80);
  // Each is trained as it would be alone.
  const alone = await sweepLearningRates(train, { ...options, learningRates: [0.1] });
  expect(alone.rates[0]?.loss).toBeCloseTo(good?.loss as number, 6);
  await expect(sweepLearningRates(train, { ...options, learningRates: [] })).rejects.toThrow(
    "learningRates: expected at least one, got none",
  );
});
