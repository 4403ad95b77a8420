import { assertFeatures, assertLabels, assertSameDim, type Features } from "./features.ts";
import type { LongCall } from "./long-call.ts";
import { type Neighbors, nearest } from "./nearest.ts";

export interface KnnOptions extends LongCall {
  /** How many neighbours vote. Several are counted in one go. */
  readonly k: readonly number[];
  /** How fast a vote falls with distance. */
  readonly temperature?: number;
  /** Classes there are; the largest label plus one where it is not given. */
  readonly classes?: number;
}

/** Right answers in percent, by k. */
export interface KnnResult {
  readonly top1: Readonly<Record<string, number>>;
  /** Right within the best 5 classes, or the best k where k is less. */
  readonly top5: Readonly<Record<string, number>>;
}

/**
 * The weighted k-nearest-neighbour classifier that features without labels are judged by (Wu et
 * al. 2018, https://arxiv.org/abs/1805.01978, as in facebookresearch/dino's eval_knn.py).
 *
 * The k rows of `train` with the largest cosine similarity s to a row of `test` vote for their
 * class with weight exp(s / temperature); the class with the most votes wins. Of equally similar
 * rows the first in `train` is the nearer; of classes with equal votes, none at all included,
 * the one with the smaller number is the better.
 */
export async function knn(
  train: Features,
  test: Features,
  { k, temperature = 0.07, classes, ...longCall }: KnnOptions,
): Promise<KnnResult> {
  assertFeatures("train", train);
  assertFeatures("test", test);
  assertSameDim("test", test, "train", train);
  assertLabels("train", train, classes);
  assertLabels("test", test, classes);
  assertOptions(k, temperature, train.count, "the rows of train");
  const neighbors = await nearest(test, train, { k: Math.max(...k), ...longCall });
  return vote(neighbors, train.labels, test.labels, { k, temperature });
}

/** The same where there is no test set: every row is classified by all the others. */
export async function knnLeaveOneOut(
  features: Features,
  { k, temperature = 0.07, classes, ...longCall }: KnnOptions,
): Promise<KnnResult> {
  assertFeatures("features", features);
  assertLabels("features", features, classes);
  assertOptions(k, temperature, features.count - 1, "the rows of features less one");
  const options = { k: Math.max(...k), excludeSelf: true, ...longCall };
  const neighbors = await nearest(features, features, options);
  return vote(neighbors, features.labels, features.labels, { k, temperature });
}

function assertOptions(
  k: readonly number[],
  temperature: number,
  largest: number,
  what: string,
): void {
  if (k.length === 0) throw new RangeError("k: expected at least one number, got none");
  for (const each of k) {
    if (!Number.isInteger(each) || each < 1) {
      throw new RangeError(`k: expected whole numbers from 1, got ${each}`);
    }
    if (each > largest) {
      throw new RangeError(`k: expected at most ${largest} (${what}), got ${each}`);
    }
  }
  if (!(temperature > 0)) {
    throw new RangeError(`temperature: expected a number above 0, got ${temperature}`);
  }
}

interface VoteOptions {
  readonly k: readonly number[];
  readonly temperature: number;
}

/** Counts how often the neighbours' votes put a row's own class first, or among the first five. */
function vote(
  { similarities, indices }: Neighbors,
  labels: Int32Array,
  answers: Int32Array,
  { k, temperature }: VoteOptions,
): KnnResult {
  const stride = Math.max(...k);
  const votes = new Float64Array(1 + Math.max(largest(labels), largest(answers)));
  const first = new Map(k.map((each) => [each, 0]));
  const firstFive = new Map(k.map((each) => [each, 0]));
  answers.forEach((answer, row) => {
    votes.fill(0);
    const start = row * stride;
    const nearest = similarities[start] as number;
    for (let i = 0; i < stride; i++) {
      // Relative to the nearest, which changes no order and keeps small temperatures finite.
      const weight = Math.exp(((similarities[start + i] as number) - nearest) / temperature);
      const label = labels[indices[start + i] as number] as number;
      votes[label] = (votes[label] as number) + weight;
      const count = first.get(i + 1);
      if (count === undefined) continue; // only the k that are asked for are counted
      const better = rank(votes, answer);
      if (better < 1) first.set(i + 1, count + 1);
      if (better < Math.min(5, i + 1)) firstFive.set(i + 1, (firstFive.get(i + 1) as number) + 1);
    }
  });
  return { top1: percent(first, answers.length), top5: percent(firstFive, answers.length) };
}

/** How many classes are ahead of `label`. */
function rank(votes: Float64Array, label: number): number {
  const own = votes[label] as number;
  let ahead = 0;
  for (let other = 0; other < votes.length; other++) {
    const theirs = votes[other] as number;
    if (theirs > own || (theirs === own && other < label)) ahead++;
  }
  return ahead;
}

function percent(right: ReadonlyMap<number, number>, count: number): Record<string, number> {
  return Object.fromEntries([...right].map(([k, hits]) => [k, (100 * hits) / count]));
}

const largest = (values: Int32Array): number => values.reduce((a, b) => Math.max(a, b), 0);
