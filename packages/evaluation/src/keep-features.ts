import { ShapeError } from "@dino/ops";
import type { FeatureSource } from "./feature-source.ts";
import type { Features } from "./features.ts";
import { joinFeatures } from "./join-features.ts";
import type { LongCall } from "./long-call.ts";

/** Where features are kept while they are made: what is in it outlives an interruption. */
export interface FeatureStore {
  /** Rows that are kept, without a gap from the first one on. */
  readonly kept: number;
  /** Keeps the rows that come next. */
  append(features: Features): Promise<void>;
  /** Everything that is kept. */
  source(): FeatureSource;
}

export interface KeepFeaturesOptions extends LongCall {
  /** Values in a row. */
  readonly dim: number;
  /** Rows in all. */
  readonly count: number;
  /** The features from this row to the last one, in parts of any size. */
  readonly make: (first: number) => AsyncIterable<Features>;
}

/** What is handed to the store at once: this many values (64 MiB), or what came in half a minute. */
const valuesAtOnce = 2 ** 24;
const millisecondsAtOnce = 30_000;

/**
 * Completes the features in `store`: those that it has are not made again, and those that were made
 * before an error or an abort are kept in it, so that calling this once more goes on from there.
 */
export async function keepFeatures(
  store: FeatureStore,
  { dim, count, make, signal, onProgress }: KeepFeaturesOptions,
): Promise<FeatureSource> {
  if (store.kept > count) {
    throw new RangeError(`store: expected at most ${count} rows, got ${store.kept}`);
  }
  if (store.kept > 0) onProgress?.({ done: store.kept, total: count });
  if (store.kept < count) await complete(store, { dim, count, make, signal, onProgress });
  return store.source();
}

async function complete(
  store: FeatureStore,
  { dim, count, make, signal, onProgress }: KeepFeaturesOptions,
): Promise<void> {
  let waiting: Features[] = [];
  let values = 0;
  let since = Date.now();
  let done = store.kept;
  const flush = async (): Promise<void> => {
    const parts = waiting;
    waiting = []; // gone even if the store fails, which is then not asked a second time
    values = 0;
    if (parts.length > 0) await store.append(joinFeatures(parts));
    since = Date.now();
  };
  try {
    for await (const part of make(store.kept)) {
      signal?.throwIfAborted();
      assertPart(part, dim, count - done);
      waiting.push(part);
      values += part.rows.length;
      done += part.count;
      if (values >= valuesAtOnce || Date.now() - since >= millisecondsAtOnce) await flush();
      onProgress?.({ done, total: count });
    }
  } finally {
    await flush();
  }
  signal?.throwIfAborted();
  if (done !== count) throw new RangeError(`features: expected ${count} rows, got ${done}`);
}

function assertPart({ rows, dim, count, labels }: Features, width: number, room: number): void {
  const isWhole = rows.length === count * dim && labels.length === count;
  if (isWhole && dim === width && count <= room) return;
  throw new ShapeError(
    `features: expected at most ${room} rows of ${width} values, each with a label, ` +
      `got ${count} of ${dim}, ${rows.length} values and ${labels.length} labels`,
  );
}
