import type { FeatureSource } from "./feature-source.ts";
import {
  assertFeatures,
  assertLabels,
  assertSameDim,
  assertWhole,
  type Features,
} from "./features.ts";
import type { LongCall } from "./long-call.ts";
import { type NeighborBlock, nearestBlocks } from "./nearest.ts";

export interface KnnOptions extends LongCall {
  /** How many neighbours vote. Several are counted in one go. */
  readonly k: readonly number[];
  /** How fast a vote falls with distance. */
  readonly temperature?: number;
  /** Classes there are; the largest label plus one where it is not given. */
  readonly classes?: number;
}

/** Right answers in percent, by k, and every answer. */
export interface KnnResult {
  readonly top1: Readonly<Record<string, number>>;
  /** Right within the best 5 classes, or the best k where k is less. */
  readonly top5: Readonly<Record<string, number>>;
  /** The class that each row was taken for, by k. */
  readonly predicted: Readonly<Record<string, Int32Array>>;
}

/**
 * The weighted k-nearest-neighbour classifier that features without labels are judged by (Wu et
 * al. 2018, https://arxiv.org/abs/1805.01978, as in facebookresearch/dino's eval_knn.py).
 *
 * The k rows of `train` with the largest cosine similarity s to a row of `test` vote for their
 * class with weight exp(s / temperature); the class with the most votes wins. Of equally similar
 * rows the first in `train` is the nearer; of classes with equal votes, none at all included,
 * the one with the smaller number is the better.
 *
 * Exact, by products of all rows with all others, in memory that does not grow with their number:
 * features may be read from a file as they are needed.
 */
export async function knn(
  train: Features | FeatureSource,
  test: Features | FeatureSource,
  { k, temperature = 0.07, classes, ...longCall }: KnnOptions,
): Promise<KnnResult> {
  assertClassified("train", train);
  assertClassified("test", test);
  assertSameDim("test", test, "train", train);
  assertLabels("train", train, classes);
  assertLabels("test", test, classes);
  assertOptions(k, temperature, train.count, "the rows of train");
  const names = ["test", "train"] as const;
  const blocks = nearestBlocks(test, train, { k: Math.max(...k), names, ...longCall });
  return count(blocks, train.labels, test.labels, { k, temperature });
}

/** The same where there is no test set: every row is classified by all the others. */
export async function knnLeaveOneOut(
  features: Features | FeatureSource,
  { k, temperature = 0.07, classes, ...longCall }: KnnOptions,
): Promise<KnnResult> {
  assertClassified("features", features);
  assertLabels("features", features, classes);
  assertOptions(k, temperature, features.count - 1, "the rows of features less one");
  const names = ["features", "features"] as const;
  const options = { k: Math.max(...k), excludeSelf: true, names, ...longCall };
  const blocks = nearestBlocks(features, features, options);
  return count(blocks, features.labels, features.labels, { k, temperature });
}

/** What is in memory is checked at once, the rest as it is read. */
function assertClassified(name: string, features: Features | FeatureSource): void {
  if ("rows" in features) assertFeatures(name, features);
  else assertWhole(name, features);
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

/** What has been counted so far for one number of neighbours. */
interface Tally {
  readonly predicted: Int32Array;
  first: number;
  firstFive: number;
}

/** Counts how often the neighbours' votes put a row's own class first, or among the first five. */
async function count(
  blocks: AsyncIterable<NeighborBlock>,
  labels: Int32Array,
  answers: Int32Array,
  { k, temperature }: VoteOptions,
): Promise<KnnResult> {
  const stride = Math.max(...k);
  const votes = new Float64Array(1 + Math.max(largest(labels), largest(answers)));
  const tallies = new Map<number, Tally>();
  for (const each of k) {
    tallies.set(each, { predicted: new Int32Array(answers.length), first: 0, firstFive: 0 });
  }
  for await (const { similarities, indices, firstQuery, queries } of blocks) {
    for (let query = 0; query < queries; query++) {
      votes.fill(0);
      const start = query * stride;
      const nearest = similarities[start] as number;
      for (let i = 0; i < stride; i++) {
        // Relative to the nearest, which changes no order and keeps small temperatures finite.
        const weight = Math.exp(((similarities[start + i] as number) - nearest) / temperature);
        const label = labels[indices[start + i] as number] as number;
        votes[label] = (votes[label] as number) + weight;
        const tally = tallies.get(i + 1); // only the k that are asked for are counted
        if (tally) tell(tally, votes, firstQuery + query, answers, i + 1);
      }
    }
  }
  const percents = (right: (tally: Tally) => number) =>
    Object.fromEntries(
      [...tallies].map(([k, tally]) => [k, (100 * right(tally)) / answers.length]),
    );
  return {
    top1: percents(({ first }) => first),
    top5: percents(({ firstFive }) => firstFive),
    predicted: Object.fromEntries([...tallies].map(([k, { predicted }]) => [k, predicted])),
  };
}

/** Counts a row's votes, once k of its neighbours have voted. */
function tell(
  tally: Tally,
  votes: Float64Array,
  row: number,
  answers: Int32Array,
  k: number,
): void {
  const answer = answers[row] as number;
  const own = votes[answer] as number;
  let best = 0;
  let ahead = 0;
  for (let label = 0; label < votes.length; label++) {
    const theirs = votes[label] as number;
    if (theirs > (votes[best] as number)) best = label;
    if (theirs > own || (theirs === own && label < answer)) ahead++;
  }
  tally.predicted[row] = best;
  if (ahead < 1) tally.first++;
  if (ahead < Math.min(5, k)) tally.firstFive++;
}

const largest = (values: Int32Array): number => values.reduce((a, b) => Math.max(a, b), 0);
